#include "app/capacity.hpp"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(Capacity, CallsAreBoundedByOpenFilesAndByMemory) {
  EXPECT_EQ((Capacity{1024, 64 * 1024 * kMiB}.calls()), 480U) << "two files a call, 64 kept back";
  EXPECT_EQ((Capacity{1'000'000, 512 * kMiB}.calls()), 2048U) << "64 KiB a call, a quarter of the memory";
  EXPECT_EQ((Capacity{10, kMiB}.calls()), 16U);
  EXPECT_EQ((Capacity{1'000'000'000, 1'000'000'000 * kMiB}.calls()), 1'000'000U);
}

TEST(Capacity, BodiesGetAQuarterOfTheMemory) {
  EXPECT_EQ((Capacity{1024, 8192 * kMiB}.body_bytes()), 2048 * kMiB);
  EXPECT_EQ((Capacity{1024, 100 * kMiB}.body_bytes()), 64 * kMiB);
}

TEST(Capacity, OfThisProcessIsSomething) {
  const Capacity capacity = Capacity::of_process();
  EXPECT_GE(capacity.open_files, 64U);
  EXPECT_GE(capacity.memory_bytes, 64 * kMiB);
}

}  // namespace
}  // namespace weir::app
