# config/prices.yaml becomes part of the binary, which then needs no file beside it. Read here and not at each start.
add_executable(weir_price_table ${CMAKE_CURRENT_LIST_DIR}/price_table/main.cpp)
target_link_libraries(weir_price_table PRIVATE weir_settings)
set(WEIR_PRICES ${PROJECT_SOURCE_DIR}/config/prices.yaml)
set(WEIR_PRICE_ROWS ${CMAKE_CURRENT_BINARY_DIR}/settings/price_rows.cpp)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/settings)
add_custom_command(OUTPUT ${WEIR_PRICE_ROWS} COMMAND weir_price_table ${WEIR_PRICES} ${WEIR_PRICE_ROWS}
  DEPENDS weir_price_table ${WEIR_PRICES} VERBATIM)
add_library(weir_settings_built_in STATIC ${CMAKE_CURRENT_LIST_DIR}/built_in/built_in_prices.cpp ${WEIR_PRICE_ROWS})
target_link_libraries(weir_settings_built_in PUBLIC weir_settings)
# config/providers.yaml: its text, a page long.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/config/providers.yaml)
file(READ ${PROJECT_SOURCE_DIR}/config/providers.yaml WEIR_PROVIDERS_TEXT)
configure_file(${CMAKE_CURRENT_LIST_DIR}/providers_text.cpp.in
  ${CMAKE_CURRENT_BINARY_DIR}/settings/providers_text.cpp @ONLY)
target_sources(weir_settings PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/settings/providers_text.cpp)
