#include "core/gallery/upkeep/finding.h"

namespace polyptych::gallery {

const char* nameOf(FindingKind kind) {
  switch (kind) {
    case FindingKind::MissingPicture:
      return "missing_picture";
    case FindingKind::DamagedPicture:
      return "damaged_picture";
    case FindingKind::WrongSize:
      return "wrong_size";
    case FindingKind::PictureWithoutRow:
      return "picture_without_row";
    case FindingKind::ForeignPicture:
      return "foreign_picture";
    case FindingKind::TemporaryFile:
      return "temporary_file";
    case FindingKind::ManifestMissingRow:
      return "manifest_missing_row";
    case FindingKind::ManifestExtraRow:
      return "manifest_extra_row";
    case FindingKind::ManifestDamagedRow:
      return "manifest_damaged_row";
    case FindingKind::RunFileMissing:
      return "run_file_missing";
    case FindingKind::RunFileDamaged:
      return "run_file_damaged";
    case FindingKind::RunMoved:
      return "run_moved";
    case FindingKind::RunWithoutRows:
      return "run_without_rows";
    case FindingKind::PicturesWithoutRun:
      return "pictures_without_run";
    case FindingKind::NewerRun:
      return "newer_run";
    case FindingKind::LatentsMissing:
      return "latents_missing";
    case FindingKind::RunCounters:
      return "run_counters";
    case FindingKind::JobState:
      return "job_state";
    case FindingKind::OrphanRows:
      return "orphan_rows";
    case FindingKind::PromptNotIndexed:
      return "prompt_not_indexed";
    case FindingKind::SidecarMissing:
      return "sidecar_missing";
    case FindingKind::SidecarDiffers:
      return "sidecar_differs";
    case FindingKind::SidecarDamaged:
      return "sidecar_damaged";
    case FindingKind::SidecarWithoutPicture:
      return "sidecar_without_picture";
    case FindingKind::ThumbnailWithoutPicture:
      return "thumbnail_without_picture";
  }
  return "";
}

}  // namespace polyptych::gallery
