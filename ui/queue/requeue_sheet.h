#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

#include "core/domain/request.h"
#include "ui/shell/overlay.h"

namespace polyptych::ui {

/// What is asked for differently; nothing: as before.
struct RequeueEdits {
  std::optional<int> width, height, steps;
  std::optional<double> guidance;
  std::optional<quint64> seed;  ///< of the first picture; the next ones count on
  std::optional<std::string> prompt, negative, scheduler;

  void apply(domain::GenerationRequest& request, quint64 number) const;
};

/// Asks what is to be different about jobs that are made again. Empty fields: as it was.
class RequeueSheet : public Overlay {
  Q_OBJECT
 public:
  RequeueSheet(QWidget* window, const Preferences& preferences);

  /// @param jobs  how many; `prompt` is that of a single one
  void ask(int jobs, const QString& prompt);

 Q_SIGNALS:
  void accepted(const polyptych::ui::RequeueEdits& edits);

 protected:
  QSize cardSize() const override;
  QWidget* first() const override { return m_size; }
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void accept();

  QLabel* m_title;
  QLabel* m_labels[7] = {};
  QWidget* m_promptBox;
  QLineEdit* m_prompt;
  QLineEdit* m_size;
  QLineEdit* m_steps;
  QLineEdit* m_guidance;
  QLineEdit* m_seed;
  QLineEdit* m_negative;
  QComboBox* m_scheduler;
  QLabel* m_problem;
  QPushButton* m_accept;
  QPushButton* m_cancel;
  QString m_before;
};

}  // namespace polyptych::ui
