// House rules that a compiler does not hold: includes point down, a foreign library stays in its room, files stay
// short (docs/architecture.md). Other style is a warning.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Room {
  std::string_view name;
  double level;
};
// Longest names first where one is the beginning of another. 2.0 may be included by the rest of level 2 (RULINGS 1).
constexpr std::array kRooms{Room{"base", 0},       Room{"exchange", 1},  Room{"net", 2},      Room{"catalogue", 2},
                            Room{"dialects", 2.5}, Room{"targets", 2.5}, Room{"store", 2.5},  Room{"embedding", 2.5},
                            Room{"api", 3},        Room{"admission", 3}, Room{"pipeline", 3}, Room{"providers", 3},
                            Room{"accounting", 3}, Room{"telemetry", 3}, Room{"batch", 3},    Room{"settings", 4},
                            Room{"admin", 4},      Room{"app", 5}};

struct Wall {
  std::string_view include;
  std::vector<std::string_view> rooms;
};
const std::vector<Wall> kWalls{{"boost/beast", {"net"}},
                               {"boost/asio/ssl", {"net"}},
                               {"openssl/", {"base", "net"}},
                               {"simdjson", {"dialects"}},
                               {"yaml-cpp", {"settings"}},
                               {"spdlog", {"base"}},
                               {"prometheus", {"telemetry"}},
                               {"sqlite3", {"store"}},
                               {"hiredis", {"store"}},
                               {"libpq", {"store"}},
                               {"CLI/", {"app"}}};

constexpr std::size_t kLinesMax = 400;

struct Source {
  std::string path;  // relative to the checkout
  std::string room;
  std::vector<std::string> lines;
};

std::string room_of(const std::string& path) {
  for (const std::string_view prefix : {"src/", "include/weir/"}) {
    if (path.starts_with(prefix)) {
      const std::string rest = path.substr(prefix.size());
      return rest.find('/') == std::string::npos ? "" : rest.substr(0, rest.find('/'));
    }
  }
  return "";
}

std::vector<Source> sources() {
  std::vector<Source> found;
  const fs::path root(WEIR_SOURCE_DIR);
  for (const char* folder : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp") continue;
      Source source{fs::relative(entry.path(), root), "", {}};
      source.room = room_of(source.path);
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) source.lines.push_back(line);
      found.push_back(std::move(source));
    }
  }
  return found;
}

const Room* find_room(std::string_view name) {
  const auto at = std::ranges::find(kRooms, name, &Room::name);
  return at == kRooms.end() ? nullptr : &*at;
}

/// The text between the quotes or angle brackets of an include line, or nothing.
std::string included(const std::string& line) {
  if (!line.starts_with("#include ")) return "";
  const std::size_t begin = line.find_first_of("\"<");
  const std::size_t end = line.find_first_of("\">", begin + 1);
  return begin == std::string::npos || end == std::string::npos ? "" : line.substr(begin + 1, end - begin - 1);
}

TEST(Levels, EachFileLivesInAKnownRoom) {
  for (const Source& source : sources()) {
    if (source.path == "src/main.cpp") continue;
    EXPECT_NE(find_room(source.room), nullptr) << source.path << " is in no room of docs/architecture.md";
  }
}

TEST(Levels, IncludesPointDown) {
  std::size_t checked = 0;
  for (const Source& source : sources()) {
    const Room* own = find_room(source.room);
    if (own == nullptr) continue;
    for (const std::string& line : source.lines) {
      std::string target = included(line);
      if (target.starts_with("weir/")) target = target.substr(5);
      const Room* other = find_room(target.substr(0, target.find('/')));
      if (other == nullptr || other->name == own->name) continue;
      // A room's settings.hpp is plain data that `settings` fills in, on whatever level the room is.
      if (own->name == "settings" && target.ends_with("/settings.hpp") && other->level <= own->level) continue;
      ++checked;
      EXPECT_LT(other->level, own->level) << source.path << " may not include " << target;
    }
  }
  EXPECT_GT(checked, 50U) << "the search found no includes: it looks in the wrong place";
}

TEST(Levels, ForeignLibrariesStayInTheirRooms) {
  std::size_t checked = 0;
  for (const Source& source : sources()) {
    for (const std::string& line : source.lines) {
      const std::string target = included(line);
      for (const Wall& wall : kWalls) {
        if (target.empty() || !target.starts_with(wall.include)) continue;
        ++checked;
        EXPECT_TRUE(std::ranges::find(wall.rooms, source.room) != wall.rooms.end())
            << source.path << " includes " << target << ", which belongs to another room";
      }
    }
  }
  EXPECT_GT(checked, 5U);
}

TEST(Size, FilesStayReadable) {
  for (const Source& source : sources()) {
    EXPECT_LE(source.lines.size(), kLinesMax) << source.path;
    if (source.path == "src/main.cpp") {
      EXPECT_LE(source.lines.size(), 40U);
    }
  }
}

TEST(Words, NothingIsLeftForNow) {
  for (const Source& source : sources()) {
    for (const std::string& line : source.lines) {
      EXPECT_EQ(line.find("FIXME"), std::string::npos) << source.path << ": " << line;
      EXPECT_EQ(line.find("TODO(now)"), std::string::npos) << source.path << ": " << line;
    }
  }
}

TEST(Words, NamesSayWhatAThingIs) {
  for (const Source& source : sources()) {
    for (const std::string_view word : {"util", "common", "helper", "misc", "manager"}) {
      if (source.path.find(word) != std::string::npos)
        std::cerr << "warning: " << source.path << " has '" << word << "' in its name\n";
      EXPECT_EQ(source.path.find("/" + std::string(word) + "/"), std::string::npos) << source.path;
    }
  }
}

}  // namespace
