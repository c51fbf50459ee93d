#pragma once

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/library/database.h"

namespace polyptych::library {

/// Rows that many jobs and pictures share. Each gives the id of the row that says the same, made if there is none.

/// Negative prompt, size, steps, guidance, scheduler and clip skip of a request.
base::Result<qint64> settingsRow(Database& database, const domain::GenerationRequest& request);
/// Everything of a picture's metadata that is not its request.
base::Result<qint64> planRow(Database& database, const domain::PictureMetadata& metadata);
/// A new row for a prompt: equal prompts of one run share one, kept by the caller.
base::Result<qint64> newPromptRow(Database& database, const std::string& text);

/// The reverse: fills the shared part of `request` or `metadata`. @return Corrupt for an id without a row or values out of range
base::Result<void> readSettings(Database& database, qint64 id, domain::GenerationRequest& request);
base::Result<void> readPlan(Database& database, qint64 id, domain::PictureMetadata& metadata);

}  // namespace polyptych::library
