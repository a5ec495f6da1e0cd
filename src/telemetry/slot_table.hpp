#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::telemetry {

template <std::size_t N>
using Labels = std::array<std::string_view, N>;

/// A seeded hash over labels' bytes. Task and model are the client's words: the seed keeps it from choosing collisions.
class LabelHash {
 public:
  explicit LabelHash(std::uint64_t seed) : state_(seed) {}

  void add(std::string_view label) {
    const char* at = label.data();
    std::size_t left = label.size();
    mix(left);
    for (; left >= 8; at += 8, left -= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      mix(word);
    }
    std::uint64_t word = 0;
    if (left > 0) std::memcpy(&word, at, left);
    mix(word);
  }
  std::uint64_t value() const { return state_; }

 private:
  void mix(std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(state_ ^ word) * 0x9E3779B97F4A7C15U;
    state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ 0xD6E8FEB86659FD93U;
  }
  std::uint64_t state_;
};

/// Counters found by their labels: created once, then only looked up, never removed.
///
/// Thread: find() and add() belong to one thread; for_each() may run on another at any time: a slot is linked in when
/// it is complete, and its labels never change.
template <std::size_t N, class Counters>
class SlotTable {
 public:
  struct Slot {
    std::array<std::string, N> labels;
    Counters counters;

   private:
    friend SlotTable;
    Slot* next = nullptr;
  };

  explicit SlotTable(std::uint64_t seed) : seed_(seed), places_(16) {}

  Slot* find(const Labels<N>& labels) const {
    const std::uint64_t hash = hash_of(labels);
    const std::size_t mask = places_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Place& place = places_[at];
      if (place.slot == nullptr) return nullptr;
      if (place.hash == hash && same(place.slot->labels, labels)) return place.slot;
    }
  }

  /// Only after find() found none. `prepare(counters)` runs before other threads see the slot.
  template <class F>
  Slot& add(const Labels<N>& labels, F&& prepare) {
    auto made = std::make_unique<Slot>();
    for (std::size_t i = 0; i < N; ++i) made->labels[i] = labels[i];
    prepare(made->counters);
    Slot* slot = made.get();
    owned_.push_back(std::move(made));
    if (owned_.size() * 2 > places_.size()) grow();
    place(Place{hash_of(labels), slot});
    slot->next = newest_.load(std::memory_order_relaxed);
    newest_.store(slot, std::memory_order_release);
    return *slot;
  }

  template <class F>
  void for_each(F&& use) const {
    for (const Slot* slot = newest_.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) use(*slot);
  }

  std::size_t size() const { return owned_.size(); }

 private:
  struct Place {
    std::uint64_t hash = 0;
    Slot* slot = nullptr;
  };

  static bool same(const std::array<std::string, N>& have, const Labels<N>& want) {
    for (std::size_t i = 0; i < N; ++i) {
      if (have[i] != want[i]) return false;
    }
    return true;
  }
  std::uint64_t hash_of(const Labels<N>& labels) const {
    LabelHash hash{seed_};
    for (const std::string_view label : labels) hash.add(label);
    return hash.value();
  }
  void place(Place entry) {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = entry.hash & mask;
    while (places_[at].slot != nullptr) at = (at + 1) & mask;
    places_[at] = entry;
  }
  void grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (const Place& entry : old) {
      if (entry.slot != nullptr) place(entry);
    }
  }

  std::uint64_t seed_;
  std::vector<Place> places_;  ///< open addressing, a power of two, at most half full
  std::vector<std::unique_ptr<Slot>> owned_;
  std::atomic<Slot*> newest_{nullptr};  ///< what for_each() walks
};

}  // namespace weir::telemetry
