#include "ui/run_form.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QSettings>
#include <algorithm>
#include <limits>

#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr QLatin1String kGroup("run");

/// The plural form is asked for with an int; above its range all numbers have the same.
int plural(qint64 number) { return static_cast<int>(std::min<qint64>(number, std::numeric_limits<int>::max())); }

}  // namespace

RunForm::RunForm(PromptLengths::OpenTokenizer openTokenizer, PromptModels::Check checkModel, QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("leftPanel"));
  setAttribute(Qt::WA_StyledBackground);
  m_prompts = new PromptPanel(std::move(openTokenizer), std::move(checkModel), this);
  m_settings = new RunSettings(this);
  m_forecast = makeLabel("secondary", this);
  m_forecast->setObjectName(QStringLiteral("forecast"));
  m_forecast->setWordWrap(true);
  auto* foot = new QWidget(this);
  foot->setObjectName(QStringLiteral("forecastBox"));
  foot->setAttribute(Qt::WA_StyledBackground);
  auto* footLayout = new QVBoxLayout(foot);
  footLayout->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, Metrics::kGap);
  footLayout->addWidget(m_forecast);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->setSpacing(0);
  all->addWidget(m_prompts, 1);
  all->addWidget(m_settings);
  all->addWidget(foot);
  connect(m_prompts, &PromptPanel::changed, this, &RunForm::updateForecast);
  connect(m_settings, &RunSettings::changed, this, &RunForm::updateForecast);
  connect(m_settings, &RunSettings::modelChanged, this, [this] { m_prompts->lengths().setModel(m_settings->modelReference()); });
  retranslated(this, [this] { updateForecast(); });
}

void RunForm::setCost(const QString& words) {
  if (words != m_cost) {
    m_cost = words;
    updateForecast();
  }
}

void RunForm::updateForecast() {
  const qint64 prompts = m_prompts->promptCount();
  if (prompts == 0) {
    m_forecast->setText(tr("Type a prompt to begin."));
  } else {
    const QString pictures = tr("%L1 picture(s)", nullptr, plural(pictureCount())).arg(pictureCount());
    QString words = tr("%n prompt(s)", nullptr, plural(prompts));
    words += m_prompts->list().hasOwnPictures() ? QStringLiteral(", ") + pictures
                                                : QStringLiteral(" × %1 = ").arg(m_settings->imagesPerPrompt()) + pictures;
    // A line may end with the dot and not begin with it.
    m_forecast->setText(m_cost.isEmpty() ? words : words + QStringLiteral("\u00a0· ") + m_cost);
  }
  Q_EMIT changed();
}

base::Result<RunInput> RunForm::input() {
  m_prompts->commit();
  RunInput input;
  if (m_prompts->list().enabledCount() == 0) {
    m_prompts->takeFocus();
    return base::Error{base::ErrorCode::InvalidArgument,
                       (m_prompts->list().rowCount() == 0 ? tr("There is no prompt yet. Type one in the list on the left.")
                                                          : tr("Every prompt is turned off. Turn one on, or type another."))
                           .toStdString(),
                       {}};
  }
  if (const auto read = m_settings->read(input); !read) {
    return read.error();
  }
  input.entries = m_prompts->list().entries();
  return input;
}

std::function<void()> RunForm::useSettings(const domain::PictureMetadata& metadata) {
  const QVariantMap before = m_settings->values();
  QUndoStack& changes = m_prompts->list().undoStack();
  const int first = changes.index();
  PromptListModel::Entries entries;
  if (const QString prompt = QString::fromStdString(metadata.request.prompt).simplified(); !prompt.isEmpty()) {
    entries.emplace_back().prompt = prompt.toStdString();
    m_prompts->take(std::move(entries), true);
  }
  m_settings->use(metadata);
  return [this, &changes, before, first, last = changes.index()] {
    m_settings->setValues(before);
    if (last > first && changes.index() == last) {
      changes.undo();
    }
  };
}

void RunForm::restore() {
  QSettings settings;
  settings.beginGroup(kGroup);
  QVariantMap values;
  for (const QString& key : settings.childKeys()) {
    values.insert(key, settings.value(key));
  }
  m_settings->setValues(values);
  m_store =
      new PromptStore(m_prompts->list(), QFileInfo(settings.fileName()).absolutePath() + QStringLiteral("/prompts.jsonl"), this);
  connect(m_store, &PromptStore::loaded, this, &RunForm::restored);
  connect(m_store, &PromptStore::failed, this, &RunForm::failed);
  m_store->load(samplePrompts());
}

void RunForm::save() {
  m_prompts->commit();
  if (m_store != nullptr) {
    m_store->save();
  }
}

QVariantMap RunForm::session() const {
  QVariantMap session;
  const QVariantMap values = m_settings->values();
  for (auto value = values.begin(); value != values.end(); ++value) {
    session.insert(kGroup + u'/' + value.key(), value.value());
  }
  return session;
}

}  // namespace polyptych::ui
