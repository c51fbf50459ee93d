#pragma once

#include <QAbstractListModel>
#include <QUndoStack>
#include <functional>
#include <vector>

#include "core/prompt/prompt_entry.h"

namespace polyptych::ui {

/// The list of prompts. Every change can be undone, but for restore().
class PromptListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  using Entry = prompt::PromptEntry;
  using Entries = std::vector<Entry>;

  explicit PromptListModel(QObject* parent = nullptr);

  const Entries& entries() const { return m_entries; }
  const Entry& at(int row) const { return m_entries[static_cast<std::size_t>(row)]; }
  QUndoStack& undoStack() { return m_undo; }
  const QUndoStack& undoStack() const { return m_undo; }

  /// @param row  where the first of them will stand
  void insert(int row, Entries entries);
  /// @param rows  in any order
  void remove(QList<int> rows);
  /// Together and in their order before the row `before`; rowCount(): at the end. @return where the first of them stands now
  int move(QList<int> rows, int before);
  /// Copies behind the last of them. @return the first copy
  int duplicate(QList<int> rows);
  /// @param what  for the undo list: "Edit 3 prompts"
  void change(const QList<int>& rows, const QString& what, const std::function<void(Entry&)>& edit);
  void replaceAll(Entries entries);
  /// As if they had always been there.
  void restore(Entries entries);

  qint64 enabledCount() const { return m_enabled; }
  /// Of the enabled prompts.
  qint64 pictureCount(int imagesPerPrompt) const { return m_sharing * imagesPerPrompt + m_ownPictures; }
  /// Some prompt has its own number of pictures.
  bool hasOwnPictures() const { return m_owning > 0; }

  int rowCount(const QModelIndex& parent = {}) const override;
  /// Text, check state, and what a screen reader says.
  QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 Q_SIGNALS:
  /// Entries, their order or their values.
  void edited();

 private:
  class Insertion;
  class Removal;
  class Order;
  class Change;
  class Exchange;
  using Placed = std::vector<std::pair<int, Entry>>;  ///< by row, ascending

  void put(Placed entries);
  Placed take(const std::vector<int>& rows);
  void reorder(const std::vector<int>& order);
  void set(const Placed& entries);
  void exchange(Entries& entries);
  void count(const Entry& entry, int sign);
  void recount();

  Entries m_entries;
  QUndoStack m_undo;
  qint64 m_enabled = 0;
  qint64 m_sharing = 0;      ///< enabled prompts that have as many pictures as all
  qint64 m_owning = 0;       ///< enabled prompts that have their own number
  qint64 m_ownPictures = 0;  ///< of those
};

/// What of a prompt differs, in few words each: "768 × 512", "seed 7".
QStringList differencesOf(const prompt::PromptEntry& entry);

}  // namespace polyptych::ui
