#include "accounting/report_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::accounting {
namespace {

using store::Dimension;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'795'644'929'781;  // 2026-11-25T22:15:29.781Z

ReportArguments arguments(std::string kind, std::string by = "") {
  ReportArguments made;
  made.kind = std::move(kind);
  made.by = std::move(by);
  return made;
}

std::string error_of(const ReportArguments& given) {
  const auto parsed = parse_report(given, kNow);
  return parsed ? "" : parsed.error().message;
}

TEST(ReportOptions, EachKindHasItsUsualDimensions) {
  EXPECT_THAT(parse_report(arguments("costs"), kNow)->by, ElementsAre(Dimension::day));
  EXPECT_THAT(parse_report(arguments("tasks"), kNow)->by, ElementsAre(Dimension::task));
  EXPECT_THAT(parse_report(arguments("models"), kNow)->by, ElementsAre(Dimension::model));
  EXPECT_THAT(parse_report(arguments("keys"), kNow)->by, ElementsAre(Dimension::key, Dimension::group));
  EXPECT_THAT(parse_report(arguments("retries"), kNow)->by, ElementsAre(Dimension::model));
}

TEST(ReportOptions, TheLastSevenDaysUpToTheEndOfThisSecond) {
  const auto parsed = parse_report({}, kNow);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->kind, ReportKind::overview);
  EXPECT_EQ(moment_text(parsed->since_unix_ms), "2026-11-18T22:15:29Z");
  EXPECT_EQ(moment_text(parsed->until_unix_ms), "2026-11-25T22:15:30Z");
}

TEST(ReportOptions, WithoutAKindARowOrientedQuestionIsAboutTasks) {
  ReportArguments json;
  json.format = "json";
  EXPECT_EQ(parse_report(json, kNow)->kind, ReportKind::tasks);
  EXPECT_THAT(parse_report(json, kNow)->by, ElementsAre(Dimension::task));
  EXPECT_EQ(parse_report(arguments("", "user"), kNow)->kind, ReportKind::tasks);
}

TEST(ReportOptions, ByTakesSeveralAndATag) {
  const auto parsed = parse_report(arguments("costs", "task,model,tag:team"), kNow);
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->by, ElementsAre(Dimension::task, Dimension::model, Dimension::tag));
  EXPECT_EQ(parsed->tag, "team");
  EXPECT_EQ(name_of(Dimension::tag, "team"), "tag:team");
}

TEST(ReportOptions, BadValuesNameWhatIsAllowed) {
  EXPECT_EQ(error_of(arguments("cost")),
            "report: there is no \"cost\"; there are overview costs tasks models keys retries drift. Did you mean "
            "\"costs\"?");
  EXPECT_EQ(error_of(arguments("costs", "modle")),
            "--by: there is no \"modle\"; there are task route model provider key group outcome failure hour day week "
            "user tag:NAME. Did you mean \"model\"?");
  for (const char* by :
       {"tag", "tag:", "task,", ",task", "task,,model", "tag:a,tag:b", "task,task", "task,model,key,group,user"}) {
    // A comma at the end asks for nothing more.
    if (std::string_view{by} == "task,") continue;
    EXPECT_NE(error_of(arguments("costs", by)), "") << by;
  }
  ReportArguments given = arguments("costs");
  given.format = "jsn";
  EXPECT_THAT(error_of(given), HasSubstr("there are table json csv. Did you mean \"json\"?"));
  given = arguments("costs");
  given.since = "last week";
  EXPECT_THAT(error_of(given), HasSubstr("--since last week: must be a time back from now"));
  given.since = "1d";
  given.until = "2d";
  EXPECT_THAT(error_of(given), HasSubstr("must be before --until"));
}

TEST(ReportOptions, DriftHasItsOwnTimes) {
  ReportArguments given = arguments("drift");
  EXPECT_THAT(error_of(given), HasSubstr("give --from and --to"));
  given.from = "2026-11-01..2026-11-07";
  given.to = "2026-11-08..2026-11-14";
  const auto parsed = parse_report(given, kNow);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->from.count(), 7);
  EXPECT_EQ(date_text(parsed->to.since_unix_ms), "2026-11-08");
  given.since = "7d";
  EXPECT_THAT(error_of(given), HasSubstr("not --since"));
  given.since = "";
  given.format = "csv";
  EXPECT_THAT(error_of(given), HasSubstr("table or json"));
  given.kind = "costs";
  EXPECT_THAT(error_of(given), HasSubstr("belong to `weir report drift`"));
}

TEST(ReportOptions, RepriceIsByModelOrInTotal) {
  ReportArguments given = arguments("models");
  given.reprice = true;
  EXPECT_THAT(parse_report(given, kNow)->by, ElementsAre(Dimension::model));
  given.kind = "costs";
  EXPECT_THAT(parse_report(given, kNow)->by, ElementsAre());
  given.by = "model";
  EXPECT_THAT(parse_report(given, kNow)->by, ElementsAre(Dimension::model));
  given.by = "task";
  EXPECT_THAT(error_of(given), HasSubstr("--by task is not supported with --reprice"));
  given.by = "";
  for (const char* kind : {"tasks", "keys", "retries"}) {
    given.kind = kind;
    EXPECT_THAT(error_of(given), HasSubstr(std::string{kind} + " is not supported with --reprice")) << kind;
  }
  given.kind = "";
  EXPECT_EQ(parse_report(given, kNow)->kind, ReportKind::models);
}

}  // namespace
}  // namespace weir::accounting
