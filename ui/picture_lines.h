#pragma once

#include <QLineEdit>
#include <QSize>
#include <QString>
#include <optional>

namespace polyptych::ui {

/// What the lines of a sheet ask for; nothing where a line is empty.
struct PictureValues {
  std::optional<QSize> size;
  std::optional<int> steps;
  std::optional<double> guidance;
  std::optional<int> images;
  std::optional<quint64> seed;
};

/// The lines of a sheet where somebody types what pictures are to be like; nullptr: it has no such line.
struct PictureLines {
  QLineEdit* size = nullptr;
  QLineEdit* steps = nullptr;
  QLineEdit* guidance = nullptr;
  QLineEdit* images = nullptr;
  QLineEdit* seed = nullptr;
};

/// A line that cannot be meant, and what it must be, in a sentence.
struct LineProblem {
  QLineEdit* line = nullptr;
  QString sentence;
};

/// @return the first line that cannot be meant; nothing: all of them are in `values`
std::optional<LineProblem> readLines(const PictureLines& lines, PictureValues& values);

}  // namespace polyptych::ui
