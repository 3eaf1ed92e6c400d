// The cells of a test's matrix in result.json: rows by all axes but the last, which has columns.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

// Words of an axis, or the coordinates of a row.
using Words = std::vector<std::string>;

// {"axes": [...], "columns": [words of the last axis], "rows": [{"at": [words of the others],
//  "cells": [null, "EADDRINUSE", {"observed": "0", "expected": "fails with EADDRINUSE"}]}]}
nlohmann::ordered_json MatrixJson(const Words& axes, const std::vector<CellEvent>& cells);

}  // namespace sockproof
