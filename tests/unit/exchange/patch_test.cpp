#include <weir/exchange/patch.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir {
namespace {

std::string applied(const Patch& patch, std::string_view original) {
  std::string result;
  patch.for_each_piece(original, [&](std::string_view piece) {
    EXPECT_FALSE(piece.empty());
    result += piece;
  });
  EXPECT_EQ(result.size(), patch.patched_size(original.size()));
  return result;
}

TEST(Patch, WithoutEditsTheBodyIsOnePiece) {
  const Patch patch;
  EXPECT_TRUE(patch.empty());
  EXPECT_EQ(applied(patch, "body"), "body");
  EXPECT_EQ(applied(patch, ""), "");
  std::vector<std::string_view> pieces;
  const std::string body = "body";
  patch.for_each_piece(body, [&](std::string_view piece) { pieces.push_back(piece); });
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].data(), body.data());  // referred to, not copied
}

TEST(Patch, ReplacesInsertsAndCuts) {
  Patch patch;
  patch.replace(2, 4, "XYZ");  // replace
  patch.replace(6, 6, "+");    // insert
  patch.replace(8, 10, "");    // cut
  EXPECT_EQ(applied(patch, "0123456789"), "01XYZ45+67");
}

TEST(Patch, AtBothEnds) {
  Patch patch;
  patch.replace(0, 1, "{");
  patch.replace(3, 3, "}");
  EXPECT_EQ(applied(patch, "[ab"), "{ab}");
}

TEST(Patch, KeepsOrderWhateverOrderTheEditsComeIn) {
  const std::vector<Patch::Edit> edits{{0, 1, "a"}, {1, 1, "b"}, {3, 5, ""}, {5, 6, "c"}, {9, 9, "d"}};
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  do {
    Patch patch;
    for (const std::size_t at : order) patch.replace(edits[at].begin, edits[at].end, edits[at].replacement);
    ASSERT_EQ(patch.size(), edits.size());
    ASSERT_TRUE(
        std::is_sorted(patch.begin(), patch.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; }));
    ASSERT_EQ(applied(patch, "0123456789"), "ab12c678d9");
  } while (std::ranges::next_permutation(order).found);
}

TEST(Patch, BytesOutsideTheEditsStayTheClientsOwn) {
  std::mt19937 dice(3);
  for (int round = 0; round < 2000; ++round) {
    std::string body(dice() % 60, ' ');
    for (char& c : body) c = static_cast<char>(dice());
    // Sorted bounds make ranges that do not overlap; each pair is one edit, added in any order.
    const std::size_t count = dice() % (Patch::edits_max + 1);
    std::vector<std::size_t> bounds;
    for (std::size_t i = 0; i < 2 * count; ++i) bounds.push_back(dice() % (body.size() + 1));
    std::ranges::sort(bounds);
    if (std::ranges::adjacent_find(bounds) != bounds.end()) continue;
    std::vector<Patch::Edit> edits;
    for (std::size_t i = 0; i < count; ++i) {
      edits.push_back({static_cast<std::uint32_t>(bounds[2 * i]), static_cast<std::uint32_t>(bounds[2 * i + 1]),
                       std::string(dice() % 5, '#')});
    }
    std::string expected = body;
    for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
      expected.replace(edit->begin, edit->end - edit->begin, edit->replacement);
    }
    std::ranges::shuffle(edits, dice);
    Patch patch;
    for (const auto& edit : edits) patch.replace(edit.begin, edit.end, edit.replacement);
    ASSERT_EQ(applied(patch, body), expected);
    patch.for_each_piece(body, [&](std::string_view piece) {
      const bool ours =
          std::ranges::any_of(patch, [&](const auto& edit) { return edit.replacement.data() == piece.data(); });
      const bool clients = piece.data() >= body.data() && piece.data() + piece.size() <= body.data() + body.size();
      ASSERT_NE(ours, clients);
    });
  }
}

TEST(PatchDeathTest, OverlapsAndTooManyAreOurMistake) {
  Patch patch;
  patch.replace(2, 5, "");
  EXPECT_DEATH(patch.replace(4, 6, ""), "broken rule");
  EXPECT_DEATH(patch.replace(0, 3, ""), "broken rule");
  EXPECT_DEATH(patch.replace(3, 4, ""), "broken rule");
  EXPECT_DEATH(patch.replace(9, 8, ""), "broken rule");
  for (std::size_t i = 1; i < Patch::edits_max; ++i) patch.replace(10 + i, 10 + i, "x");
  EXPECT_DEATH(patch.replace(30, 31, ""), "broken rule");
}

}  // namespace
}  // namespace weir
