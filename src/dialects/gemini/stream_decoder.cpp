#include "dialects/gemini/stream_decoder.hpp"

#include <algorithm>
#include <utility>

#include "dialects/gemini/error_reader.hpp"
#include "dialects/gemini/reply_reader.hpp"

namespace weir::gemini {
namespace {

using namespace vocabulary;

class Decoder final : public StreamDecoder {
 public:
  void feed(std::string_view, std::string_view data, std::vector<StreamEvent>& into) override {
    if (failed_ || data.empty()) return;
    Answer answer;
    std::string problem;
    if (!read_answer(data, answer, problem)) return fail(Failure::upstream_protocol, "An event " + problem, into);
    if (answer.is_error) {
      Ending ending = decode_error(200, data, {});
      failed_ = true;
      into.emplace_back(StreamError{.failure = ending.failure,
                                    .status = ending.status,
                                    .message = std::move(ending.message),
                                    .code = std::move(ending.code)});
      return;
    }
    if (!answer.known) {
      ++unknown_;
      return;
    }
    if (!std::exchange(started_, true)) {
      into.emplace_back(StreamStart{
          .id = std::move(answer.id), .model = std::move(answer.model), .created = 0, .usage = answer.usage});
    }
    if (answer.blocked) blocked_ = true;
    for (Candidate& candidate : answer.candidates) {
      read_candidate(candidate, into);
      if (failed_) return;
    }
    if (answer.usage.usage.reported) into.emplace_back(UsageSnapshot{answer.usage});
  }

  bool complete() const override {
    if (failed_ || choices_.empty()) return !failed_ && blocked_;
    return std::ranges::all_of(choices_, [](const Held& choice) { return choice.finish != Finish::unset; });
  }

  /// Endings are held back until here: earlier versions of the API repeat one in every event.
  void end(std::vector<StreamEvent>& into) override {
    if (!complete()) return;
    if (choices_.empty()) choices_.push_back({.index = 0, .calls = 0, .finish = Finish::content_filter});
    for (const Held& choice : choices_) {
      into.emplace_back(ChoiceFinish{.choice = choice.index, .reason = choice.finish, .stop_sequence = {}});
    }
    into.emplace_back(Done{});
  }

  std::uint64_t unknown_events() const override { return unknown_; }

 private:
  struct Held {
    std::uint32_t index = 0;
    std::uint32_t calls = 0;
    Finish finish = Finish::unset;
  };

  void fail(Failure failure, std::string message, std::vector<StreamEvent>& into) {
    failed_ = true;
    into.emplace_back(StreamError{.failure = failure, .status = 0, .message = std::move(message), .code = {}});
  }

  Held& held(std::uint32_t index) {
    const auto at = std::ranges::find(choices_, index, &Held::index);
    return at != choices_.end() ? *at : choices_.emplace_back(Held{.index = index});
  }

  void read_candidate(Candidate& candidate, std::vector<StreamEvent>& into) {
    Held& choice = held(candidate.index);
    for (Part& part : candidate.parts) {
      if (auto* text = part.as<TextPart>()) {
        into.emplace_back(TextDelta{.choice = choice.index, .text = std::move(text->text)});
      } else if (auto* thinking = part.as<ThinkingPart>()) {
        if (!thinking->text.empty()) {
          into.emplace_back(ThinkingDelta{.choice = choice.index, .text = std::move(thinking->text)});
        }
        if (!thinking->signature.empty()) {
          into.emplace_back(SignatureDelta{.choice = choice.index, .signature = std::move(thinking->signature)});
        }
      } else if (auto* call = part.as<ToolCallPart>()) {
        read_call(*call, choice, into);
      } else {
        // No client's stream has a place for it, and an answer without it would look whole.
        return fail(Failure::upstream_protocol, "The model answered with an image: ask for it without stream.", into);
      }
    }
    for (Citation& citation : candidate.citations) {
      into.emplace_back(CitationDelta{.choice = choice.index, .citation = std::move(citation)});
    }
    if (candidate.finish_reason.empty()) return;
    const auto finish = finish_of(candidate.finish_reason, choice.calls > 0);
    if (!finish) return fail(Failure::upstream_protocol, finish.error(), into);
    choice.finish = *finish;
  }

  /// SEMANTICS 6: the whole call comes at once.
  static void read_call(ToolCallPart& call, Held& choice, std::vector<StreamEvent>& into) {
    const std::uint32_t index = choice.calls++;
    into.emplace_back(ToolCallStart{.choice = choice.index,
                                    .index = index,
                                    .id = std::move(call.id),
                                    .name = std::move(call.name),
                                    .signature = std::move(call.signature)});
    Text arguments = call.arguments.empty() ? Text::plain("{}") : std::move(call.arguments);
    into.emplace_back(ToolArgumentsDelta{.choice = choice.index, .index = index, .fragment = std::move(arguments)});
    into.emplace_back(BlockFinish{.choice = choice.index});
  }

  std::vector<Held> choices_;
  std::uint64_t unknown_ = 0;
  bool started_ = false;
  bool blocked_ = false;
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_stream_decoder(const ReplyHints&) {
  return std::make_unique<Decoder>();
}

}  // namespace weir::gemini
