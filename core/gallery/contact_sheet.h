#pragma once

#include <QString>
#include <QStringList>
#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/image.h"

namespace polyptych::gallery {

/// A sheet of cell x cell pixels a picture; pictures that are larger are made smaller, none is cut or made larger.
struct ContactSheetOptions {
  int columns = 0;  ///< 0: so that the sheet is about a third wider than high
  int cell = 256;   ///< pixels, 16 to 1024
  int gap = 8;      ///< pixels between cells and around them
};

/// The finished pictures in a run's folder, in the order of their index, as one picture without words on it. Reads every picture
/// from the disk: not for a thread that must not wait.
/// @return NotFound (no manifest or no finished picture), InvalidArgument (options; a sheet over domain::kMaxSide), Corrupt, Io
base::Result<domain::Image> contactSheet(const QString& folder, const ContactSheetOptions& options);

/// The same of any pictures of ours, in their order. @param progress  told after each; false stops it
/// @return Cancelled, NotFound (no picture), and as above
base::Result<domain::Image> contactSheetOf(const QStringList& pictures, const ContactSheetOptions& options,
                                           const std::function<bool(qint64 done)>& progress);

}  // namespace polyptych::gallery
