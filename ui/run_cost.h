#pragma once

#include <QObject>
#include <QSize>
#include <QString>
#include <QThreadPool>
#include <QTimer>
#include <functional>
#include <optional>
#include <vector>

#include "core/domain/device_choice.h"
#include "core/queue/queue_reader.h"
#include "ui/run_form.h"
#include "ui/run_input.h"

namespace polyptych::ui {

/// What a run will take, from what the ticked devices did before with its model.
struct CostEstimate {
  std::optional<double> seconds;  ///< nothing: no device has done any of it
  int devices = 0;
  qint64 bytes = 0;  ///< of pictures on the disk, about
};

/// The size of a run: pictures of 2 x the pixels, or of 2 x the steps, take about twice as long.
struct PictureWork {
  double pixels = 0;
  double pixelSteps = 0;
};

/// @param side  of the model's own size
PictureWork workOf(const std::vector<prompt::PromptEntry>& entries, const RunInput& shared, const QSize& side);
CostEstimate estimateCost(const PictureWork& work, const std::vector<queue::DeviceSpeed>& speeds,
                          const std::vector<domain::DeviceSlot>& slotList);
/// "about 6 min on 3 devices · 11 MB"
QString costInWords(const CostEstimate& estimate);

/// Keeps the form's forecast right.
class RunCost : public QObject {
  Q_OBJECT
 public:
  using Slots = std::function<std::vector<domain::DeviceSlot>()>;

  /// All outlive it. @param location  whose history counts; nothing: no time is told
  RunCost(RunForm& form, DescribeModel describeModel, std::optional<library::Location> location, Slots ticked,
          QObject* parent = nullptr);
  ~RunCost() override;

  /// The ticks, or what the devices have done.
  void update();
  /// Reads what the devices did.
  void read();

 private:
  void show();

  RunForm& m_form;
  DescribeModel m_describeModel;
  std::optional<library::Location> m_location;
  Slots m_ticked;
  QString m_reference;
  QSize m_side;
  std::vector<queue::DeviceSpeed> m_speeds;
  QTimer m_timer;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
