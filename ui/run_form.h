#pragma once

#include <QLabel>
#include <QVBoxLayout>
#include <QVariantMap>
#include <QWidget>
#include <functional>
#include <memory>
#include <optional>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/models/model_list.h"
#include "ui/prompts/prompt_files.h"
#include "ui/prompts/prompt_panel.h"
#include "ui/run_input.h"
#include "ui/run_settings.h"

namespace polyptych::ui {

/// The left side: prompts above, settings below, a forecast at the foot.
class RunForm : public QWidget {
  Q_OBJECT
 public:
  RunForm(PromptLengths::OpenTokenizer openTokenizer, PromptModels::Check checkModel, QWidget* parent = nullptr);

  PromptPanel& prompts() { return *m_prompts; }
  RunSettings& settings() { return *m_settings; }

  /// What was saved, the list a moment later; on a first start three sample prompts. From then on the list is kept.
  void restore();
  /// The list.
  void save();
  /// The settings, by the keys that restore() reads.
  QVariantMap session() const;

  /// Takes over how a picture was made: prompt, settings, seed; its model too if it is here. @return what brings back everything
  /// that stood there before, but for a list that was changed again meanwhile
  std::function<void()> useSettings(const domain::PictureMetadata& metadata);
  /// What is typed counts. @return InvalidArgument with a sentence for the first field that cannot be meant, which gets the focus
  base::Result<RunInput> input();
  qint64 pictureCount() const { return m_prompts->pictureCount(m_settings->imagesPerPrompt()); }
  /// What the pictures will cost: words behind their number.
  void setCost(const QString& words);

 Q_SIGNALS:
  void changed();
  void restored();
  void failed(const polyptych::base::Error& error);

 private:
  void updateForecast();

  PromptPanel* m_prompts;
  RunSettings* m_settings;
  QLabel* m_forecast;
  QString m_cost;
  PromptStore* m_store = nullptr;
};

}  // namespace polyptych::ui
