#pragma once
#include <memory>
#include <vector>

#include <weir/exchange/admission.hpp>
#include <weir/exchange/meter.hpp>
#include <weir/exchange/service.hpp>
#include "dialects/openai_chat/model_list.hpp"

namespace weir::api {

/// What stands behind the front door while one settings snapshot holds: made anew at each reload, kept alive by the
/// calls that began with it. Thread: one per worker.
struct House {
  Service& service;
  const Meter& meter;
  const Admission& admission;
  std::vector<openai_chat::ListedModel> models;
  std::shared_ptr<void> parts;  ///< router, stages, providers: whatever `service` and `models` refer to
};

}  // namespace weir::api
