#pragma once

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSize>
#include <QSpinBox>
#include <QVBoxLayout>
#include <QVariantMap>
#include <QWidget>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/models/model_list.h"
#include "ui/run_input.h"

namespace polyptych::ui {

/// The lower half of the left side: what all prompts of a run share.
class RunSettings : public QWidget {
  Q_OBJECT
 public:
  explicit RunSettings(QWidget* parent = nullptr);

  void setModels(const QVector<models::ModelSummary>& models);
  void setModelReference(const QString& reference);
  /// As the person sees it; empty if none is chosen.
  QString modelReference() const;
  int imagesPerPrompt() const { return m_images->value(); }
  /// Nothing where it is the model's own.
  std::optional<QSize> size() const;
  int steps() const { return m_steps->value(); }
  double guidance() const { return m_guidance->value(); }
  QString negative() const { return m_negative->text(); }
  QString scheduler() const { return m_scheduler->currentData().toString(); }
  QStringList modelNames() const;

  /// Fills all of it but the prompts. @return InvalidArgument with a sentence for the first field that cannot be meant, which
  /// gets the focus
  base::Result<void> read(RunInput& input);
  void use(const domain::PictureMetadata& metadata);
  void useSeed(quint64 seed);

  /// Everything, as it stands there; what a map has not stays as it is.
  QVariantMap values() const;
  void setValues(const QVariantMap& values);

  /// Beside the heading.
  QPushButton* presetsButton() const { return m_presets; }

 Q_SIGNALS:
  void changed();
  void modelChanged();

 private:
  QVBoxLayout* labelled(const char* text, QWidget* field);
  void chooseModelFolder();
  void matchSeedRule();
  void applySeedRule();
  void retranslate();

  QComboBox* m_model;
  QPushButton* m_browse;
  QLabel* m_modelNote;
  QLineEdit* m_negative;
  QComboBox* m_size;
  QComboBox* m_scheduler;
  QSpinBox* m_steps;
  QDoubleSpinBox* m_guidance;
  QSpinBox* m_images;
  QComboBox* m_seedRule;
  QLineEdit* m_seed;
  QPushButton* m_presets;
  std::vector<std::pair<QLabel*, const char*>> m_labels;  ///< with their English texts
};

/// "512 × 512", "640x448" -> width and height; nothing if it is neither.
std::optional<QSize> sizeFromText(const QString& text);
/// A size that a picture may have, whatever the model says.
bool isPictureSize(const QSize& size);
/// What a size must be, in a sentence.
QString sizeRule();

}  // namespace polyptych::ui
