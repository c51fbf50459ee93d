#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QThreadPool>
#include <QTimer>

#include "core/base/result.h"
#include "core/prompt/prompt_table.h"
#include "ui/prompts/prompt_list_model.h"

namespace polyptych::ui {

/// Reads and writes lists of prompts on a thread. The end of a file's name says what it is: .csv and .tsv are tables, .jsonl and
/// .json objects, one a line; anything else has a prompt a line.
class PromptFiles : public QObject {
  Q_OBJECT
 public:
  using Entries = PromptListModel::Entries;

  explicit PromptFiles(QObject* parent = nullptr);
  ~PromptFiles() override;

  /// Whether a file that is dropped on the window is meant for the list.
  static bool isList(const QString& path);
  void open(const QString& path);
  void save(const QString& path, Entries entries);

 Q_SIGNALS:
  void entriesRead(const QString& name, const polyptych::ui::PromptListModel::Entries& entries);
  /// What its columns mean is to be asked.
  void tableRead(const QString& name, const polyptych::prompt::CsvTable& table);
  void saved(const QString& path, qint64 prompts);
  void failed(const polyptych::base::Error& error);

 private:
  QThreadPool m_threads;
};

/// The list as it was when the window was closed, or the program ended in another way: in a file, written a moment after each
/// change.
class PromptStore : public QObject {
  Q_OBJECT
 public:
  using Entries = PromptListModel::Entries;

  /// `list` outlives it. @param path  of the file; its folder is made
  PromptStore(PromptListModel& list, QString path, QObject* parent = nullptr);
  ~PromptStore() override;

  /// Reads the file; what was typed meanwhile comes behind it.
  void load(Entries samples);
  /// Without waiting for the moment; what was begun is written before it is destroyed.
  void save();

 Q_SIGNALS:
  void loaded();
  void failed(const polyptych::base::Error& error);

 private:
  PromptListModel& m_list;
  const QString m_path;
  bool m_isLoaded = false;
  bool m_isChanged = false;
  QTimer m_timer;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
