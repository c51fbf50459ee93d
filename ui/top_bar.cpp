#include "ui/top_bar.h"

#include <QDateTime>
#include <QHBoxLayout>
#include <QLocale>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/elided.h"
#include "ui/generate_button.h"
#include "ui/shell/line_icon.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

TopBar::TopBar(QWidget* search, QWidget* parent) : QWidget(parent), m_search(search) {
  setObjectName(QStringLiteral("topBar"));
  setAttribute(Qt::WA_StyledBackground);
  setFixedHeight(Metrics::kTopBar);
  // What is whole in a wide window is not to keep it wide.
  setMinimumWidth(Metrics::kWindowLeastWidth);
  const auto button = [this](QPushButton* made, const char* name) {
    made->setObjectName(QLatin1String(name));
    return made;
  };
  m_name = button(new QPushButton(QStringLiteral("Polyptych"), this), "appName");
  m_generateButton = new GenerateButton(this);
  m_generate = button(m_generateButton, "generate");
  m_stop = button(new QPushButton(this), "stop");
  m_stopMenu = button(new QPushButton(lineIcon(QStringLiteral("chevron")), QString(), this), "stopMenu");
  m_stopMenu->setProperty("role", QStringLiteral("icon"));
  m_pause = button(new QPushButton(this), "pause");
  for (QPushButton* idle : {m_stop, m_stopMenu, m_pause}) {
    idle->setEnabled(false);
  }
  m_progressText = new ElidedLabel(this);
  m_progressText->setProperty("role", QStringLiteral("secondary"));
  m_progressText->setObjectName(QStringLiteral("progress"));
  m_progressBar = new QProgressBar(this);
  m_progressBar->setTextVisible(false);
  m_percent = makeLabel("secondary", this);
  auto* progress = new QVBoxLayout;
  progress->setSpacing(Metrics::kTight);
  progress->addStretch();
  auto* progressWords = new QHBoxLayout;
  progressWords->setSpacing(Metrics::kGap);
  progressWords->addWidget(m_progressText, 1);
  progressWords->addWidget(m_percent);
  progress->addLayout(progressWords);
  progress->addWidget(m_progressBar);
  progress->addStretch();
  auto* layout = new QHBoxLayout(this);
  // The name begins where the panel below it does; what is around it shows only under the pointer.
  layout->setContentsMargins(Metrics::kPad - Metrics::kNameInset, 0, Metrics::kPad, 0);
  layout->setSpacing(Metrics::kPad);
  layout->addWidget(m_name);
  layout->addSpacing(Metrics::kTight);
  layout->addWidget(m_generate);
  layout->addWidget(m_pause);
  auto* stopping = new QHBoxLayout;
  stopping->setSpacing(Metrics::kTight / 2);
  stopping->addWidget(m_stop);
  stopping->addWidget(m_stopMenu);
  layout->addLayout(stopping);
  layout->addLayout(progress, 2);
  layout->addStretch(1);
  layout->addWidget(m_search, 1);
  m_search->setMinimumWidth(Metrics::kSearchLeast);
  connect(m_stopMenu, &QPushButton::clicked, this,
          [this] { Q_EMIT stopMenuWanted(m_stop->mapToGlobal(m_stop->rect().bottomLeft())); });
  retranslated(this, [this] { retranslate(); });
}

void TopBar::retranslate() {
  m_stop->setText(tr("Stop"));
  m_stopMenu->setAccessibleName(tr("What to stop"));
  m_stopMenu->setToolTip(tr("What to stop"));
  // Wide enough for both of its words: what stands beside it stays where it is.
  int width = 0;
  for (const QString& word : {tr("Resume"), tr("Pause")}) {
    m_pause->setText(word);
    m_pause->ensurePolished();
    width = std::max(width, m_pause->sizeHint().width());
  }
  m_pause->setMinimumWidth(width);
  m_progressBar->setAccessibleName(tr("Progress of all pictures"));
  setPictures(m_pictures, m_isChecking);
  setKeys(m_keys);
  showWork(m_work);
}

void TopBar::setPictures(qint64 pictures, bool isChecking) {
  m_pictures = pictures;
  m_isChecking = isChecking;
  m_generate->setText(isChecking ? tr("Checking the model") : pictures > 0 ? tr("Generate %L1").arg(pictures) : tr("Generate"));
  fit();
}

void TopBar::setKeys(const QString& keys) {
  m_keys = keys;
  fit();
  m_generate->setToolTip(keys.isEmpty() ? tr("Generate") : QStringLiteral("%1 (%2)").arg(tr("Generate"), keys));
}

void TopBar::setEnabled(QPushButton* button, bool isEnabled) {
  if (!isEnabled && button->hasFocus()) {
    Q_EMIT focusFreed();
  }
  button->setEnabled(isEnabled);
}

QString TopBar::endInWords(const QDateTime& now, std::chrono::seconds left) {
  const QLocale locale;
  const QDateTime end = now.addSecs(left.count());
  const QString time = locale.toString(end.time(), QLocale::ShortFormat);
  if (left < std::chrono::hours(20)) {
    return tr("done at %1").arg(time);
  }
  const QString day = left < std::chrono::hours(6 * 24) ? locale.dayName(end.date().dayOfWeek(), QLocale::ShortFormat)
                                                        : locale.toString(end.date(), QLocale::ShortFormat);
  return tr("done on %1", "a day and a time of day").arg(day + u' ' + time);
}

QString TopBar::wordsOf(const Work& work, bool hasRate) const {
  const QLocale locale;
  const RunProgress& progress = *work.progress;
  QStringList parts{tr("%1 of %2").arg(locale.toString(progress.done()), locale.toString(progress.total()))};
  if (progress.failed() > 0) {
    parts << tr("%n failed", nullptr, static_cast<int>(progress.failed()));
  }
  const auto rate = progress.ratePerMinute();
  const auto left = progress.remaining();
  if (work.isPaused) {
    parts << tr("paused");
  } else if (rate && left) {
    if (hasRate) {
      parts << tr("%1 a minute").arg(locale.toString(*rate, 'f', *rate < 10 ? 1 : 0));
    }
    parts << endInWords(QDateTime::currentDateTime(), *left);
  } else {
    parts << tr("estimating");
  }
  return parts.join(QStringLiteral(" · "));
}

void TopBar::showWork(const Work& work) {
  m_work = work;
  const bool isGoing = work.progress != nullptr;
  const bool isCounted = isGoing && work.progress->total() > 0;
  setEnabled(m_generate, !work.isLost);
  setEnabled(m_stop, isGoing && !work.isStopping);
  setEnabled(m_stopMenu, isGoing && !work.isStopping);
  setEnabled(m_pause, !work.isLost && (isGoing || work.isHeld));
  m_pause->setText(work.isHeld ? tr("Resume") : tr("Pause"));
  m_progressBar->setVisible(isCounted);
  m_percent->setText({});
  if (isCounted) {
    const RunProgress& progress = *work.progress;
    m_progressBar->setRange(0, static_cast<int>(progress.total()));
    m_progressBar->setValue(static_cast<int>(progress.done() + progress.failed()));
    m_percent->setText(tr("%1 %").arg(static_cast<int>(100 * progress.share())));
  }
  fit();
}

void TopBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit();
}

/// The words of the progress are whole wherever there is room for them beside a search field that can still be read.
void TopBar::fit() {
  m_generateButton->setKeys(m_isChecking || width() < Metrics::kRoomForKeys ? QString() : m_keys);
  int room = width() - m_search->minimumWidth() - m_percent->sizeHint().width() - Metrics::kGap;
  for (const QWidget* button : {m_name, m_generate, m_pause, m_stop, m_stopMenu}) {
    room -= std::max(button->sizeHint().width(), button->minimumWidth()) + Metrics::kPad;
  }
  room -= 3 * Metrics::kPad + Metrics::kTight;
  room = std::max(0, room);
  // The rate goes first.
  QString words;
  if (m_work.progress != nullptr && m_work.progress->total() > 0) {
    words = wordsOf(m_work, true);
    words = m_progressText->fontMetrics().horizontalAdvance(words) <= room ? words : wordsOf(m_work, false);
  }
  m_progressText->setText(words);
  m_progressText->setMinimumWidth(std::min(m_progressText->fontMetrics().horizontalAdvance(words), room));
}

}  // namespace polyptych::ui
