#pragma once

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>
#include <QWidget>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/models/model_list.h"

namespace polyptych::ui {

/// What the person asked for, before the model is known in detail.
struct RunInput {
  QString promptText;  ///< one prompt a line
  QString negative;
  QString modelReference;
  QString scheduler;  ///< empty: the model's best
  int width = 0;      ///< 0: the model's own size
  int height = 0;
  int steps = 25;
  double guidance = 7.5;
  std::optional<quint64> seed;  ///< nothing: drawn
  int imagesPerPrompt = 1;
};

/// The left side: prompts above, settings below, a forecast at the foot.
class RunForm : public QWidget {
  Q_OBJECT
 public:
  explicit RunForm(QWidget* parent = nullptr);

  void setModels(const QVector<models::ModelSummary>& models);
  void setModelReference(const QString& reference);
  /// What was saved; on a first start three sample prompts.
  void restore();
  void save() const;

  /// Takes over how a picture was made: prompt, settings, seed; its model too if it is here.
  void useSettings(const domain::PictureMetadata& metadata);
  void useSeed(quint64 seed);
  /// @return InvalidArgument with a sentence for the first field that cannot be meant, which gets the focus
  base::Result<RunInput> input();
  int promptCount() const { return *m_count; }
  qint64 pictureCount() const { return static_cast<qint64>(promptCount()) * m_images->value(); }
  QPlainTextEdit* promptEditor() const { return m_prompts; }

 Q_SIGNALS:
  void changed();

 private:
  static QString samplePrompts();
  QWidget* makeSettings();
  void countPrompts(int position, int added);
  void updateForecast();
  void chooseModelFolder();
  QVBoxLayout* labelled(const char* text, QWidget* field);
  void retranslate();

  std::shared_ptr<int> m_count = std::make_shared<int>(0);  ///< of lines with a prompt, kept up to date line by line
  QPlainTextEdit* m_prompts;
  QLabel* m_promptCount;
  QComboBox* m_model;
  QLabel* m_modelNote;
  QLineEdit* m_negative;
  QComboBox* m_size;
  QComboBox* m_scheduler;
  QSpinBox* m_steps;
  QDoubleSpinBox* m_guidance;
  QLineEdit* m_seed;
  QSpinBox* m_images;
  QLabel* m_forecast;
  QPushButton* m_browse;
  std::vector<std::pair<QLabel*, const char*>> m_labels;  ///< with their English texts
};

/// "512 × 512", "640x448" -> width and height; nothing if it is neither.
std::optional<QSize> sizeFromText(const QString& text);

}  // namespace polyptych::ui
