#pragma once
#include "pipeline/resolve/settings.hpp"
#include "pipeline/retry/settings.hpp"
#include "settings/tree.hpp"

namespace weir::settings {

// What a call may do when it fails, and where it may go. What cannot be read check() has reported: it is left out.

pipeline::RetrySettings read_retry(const Node& root);
/// Of a route, or of `defaults`.
pipeline::WaySettings read_way(const Node& node);
/// zone, max_in_flight, deployments and fill.
void read_places(pipeline::ModelSettings& model, const Node& node);
/// A list of texts; empty where there is none.
std::vector<std::string> read_names(const Node* node);

}  // namespace weir::settings
