#pragma once

/// Rows of the registry: what a model costs, and one of its places where the model's price does not hold. Wants the
/// names of Kind and Change.
#define WEIR_PRICE(section)                                                                                     \
  Setting{section ".price.input", dollars, "", "0", "1000000", "", live, "USD per million prompt tokens"},      \
      Setting{section ".price.output", dollars, "", "0", "1000000", "", live, "USD per million answer tokens"}, \
      Setting{section ".price.cache_read",                                                                      \
              dollars,                                                                                          \
              "",                                                                                               \
              "0",                                                                                              \
              "1000000",                                                                                        \
              "",                                                                                               \
              live,                                                                                             \
              "USD per million prompt tokens from the provider's cache; else as input"},                        \
      Setting{section ".price.cache_write",                                                                     \
              dollars,                                                                                          \
              "",                                                                                               \
              "0",                                                                                              \
              "1000000",                                                                                        \
              "",                                                                                               \
              live,                                                                                             \
              "USD per million prompt tokens put into it; else as input"}
