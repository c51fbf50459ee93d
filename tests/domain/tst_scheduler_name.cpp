#include <QSet>
#include <QtTest>

#include "core/domain/scheduler_name.h"

using namespace polyptych::domain;
using polyptych::base::ErrorCode;

namespace {

/// "key=value key=value", as the rows below write them.
QString overridesOf(const SchedulerChoice& choice) {
  QStringList parts;
  for (const auto& [key, value] : choice.overrides) {
    parts << QString::fromStdString(key + "=" + value);
  }
  return parts.join(' ');
}

const QSet<QString> kClasses{"DDIM",
                             "DDPM",
                             "PNDM",
                             "EulerDiscrete",
                             "EulerAncestralDiscrete",
                             "DPMSolverMultistep",
                             "DPMSolverSinglestep",
                             "UniPCMultistep",
                             "LCM",
                             "TCD",
                             "HeunDiscrete",
                             "LMSDiscrete",
                             "KDPM2Discrete",
                             "KDPM2AncestralDiscrete",
                             "DEISMultistep"};

}  // namespace

class TestSchedulerName : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void catalogueNamesEveryClassAndFindsEachEntryAgain() {
    QSet<QString> names;
    QSet<QString> classes;
    for (const SchedulerChoice& choice : schedulerCatalogue()) {
      names.insert(QString::fromStdString(choice.name));
      classes.insert(QString::fromStdString(choice.className));
      const auto found = resolveScheduler(choice.name);
      QVERIFY2(found.isOk(), choice.name.c_str());
      QVERIFY2(*found == choice, choice.name.c_str());
    }
    QCOMPARE(names.size(), static_cast<int>(schedulerCatalogue().size()));
    QCOMPARE(classes, kClasses);
    QCOMPARE(QString::fromStdString(schedulerCatalogue().front().name), QString("DPM++ 2M"));
  }

  void everyClassIsFoundByItsOwnName() {
    for (const QString& name : kClasses) {
      for (const QString& spelling : {name, name + "Scheduler", name.toLower(), (name + "SCHEDULER").toUpper()}) {
        const auto found = resolveScheduler(spelling.toStdString());
        QVERIFY2(found.isOk(), qPrintable(spelling));
        QCOMPARE(QString::fromStdString(found->className), name);
        QVERIFY2(found->overrides.empty(), qPrintable(spelling));
      }
    }
  }

  void namesBecomeClassesAndKeys_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("canonical");
    QTest::addColumn<QString>("className");
    QTest::addColumn<QString>("overrides");
    const auto row = [](const char* name, const char* canonical, const char* className, const char* overrides) {
      QTest::newRow(name) << name << canonical << className << overrides;
    };
    row("Euler a", "Euler a", "EulerAncestralDiscrete", "");
    row("euler A", "Euler a", "EulerAncestralDiscrete", "");
    row("  Euler   a ", "Euler a", "EulerAncestralDiscrete", "");
    row("DPM++ 2M", "DPM++ 2M", "DPMSolverMultistep", "");
    row("DPM++ 2M Karras", "DPM++ 2M Karras", "DPMSolverMultistep",
        "use_karras_sigmas=true use_exponential_sigmas=false use_beta_sigmas=false");
    row("dpm++ 2m  sde karras", "DPM++ 2M SDE Karras", "DPMSolverMultistep",
        "algorithm_type=\"sde-dpmsolver++\" use_karras_sigmas=true use_exponential_sigmas=false use_beta_sigmas=false");
    row("DPM++ 2M SDE Exponential", "DPM++ 2M SDE Exponential", "DPMSolverMultistep",
        "algorithm_type=\"sde-dpmsolver++\" use_karras_sigmas=false use_exponential_sigmas=true use_beta_sigmas=false");
    row("UniPC Beta", "UniPC Beta", "UniPCMultistep",
        "use_karras_sigmas=false use_exponential_sigmas=false use_beta_sigmas=true");
    row("EulerDiscrete Karras", "Euler Karras", "EulerDiscrete",
        "use_karras_sigmas=true use_exponential_sigmas=false use_beta_sigmas=false");
    row("HeunDiscreteScheduler beta", "Heun Beta", "HeunDiscrete",
        "use_karras_sigmas=false use_exponential_sigmas=false use_beta_sigmas=true");
    row("DPM2 a Karras", "DPM2 a Karras", "KDPM2AncestralDiscrete",
        "use_karras_sigmas=true use_exponential_sigmas=false use_beta_sigmas=false");
    row("PLMS", "PLMS", "PNDM", "skip_prk_steps=true");
    row("PNDM", "PNDM", "PNDM", "");
    row("ddim", "DDIM", "DDIM", "");
  }
  void namesBecomeClassesAndKeys() {
    QFETCH(QString, name);
    QFETCH(QString, canonical);
    QFETCH(QString, className);
    QFETCH(QString, overrides);
    const auto found = resolveScheduler(name.toStdString());
    QVERIFY2(found.isOk(), found ? "" : found.error().message.c_str());
    QCOMPARE(QString::fromStdString(found->name), canonical);
    QCOMPARE(QString::fromStdString(found->className), className);
    QCOMPARE(overridesOf(*found), overrides);
  }

  void refusesOtherNamesAndShowsCloseOnes_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("close");
    QTest::newRow("misspelt") << "Eular a"
                              << "Euler a";
    QTest::newRow("class misspelt") << "UniPCMultistp"
                                    << "UniPC";
    QTest::newRow("no such spacing of the class") << "Euler a Karras"
                                                  << "Euler Karras";
    QTest::newRow("two spacings") << "DPM++ 2M Karras Beta"
                                  << "DPM++ 2M Karras";
    QTest::newRow("empty") << ""
                           << "LMS";
    QTest::newRow("the ending alone") << "Scheduler"
                                      << "";
    QTest::newRow("a spacing alone") << "Karras"
                                     << "";
    QTest::newRow("joined to the name") << "DPM++ 2MKarras"
                                        << "DPM++ 2M Karras";
    QTest::newRow("very long") << QString(100000, 'x') << "";
  }
  void refusesOtherNamesAndShowsCloseOnes() {
    QFETCH(QString, name);
    QFETCH(QString, close);
    const auto found = resolveScheduler(name.toStdString());
    QVERIFY(!found);
    QCOMPARE(found.error().code, ErrorCode::NotFound);
    const QString message = QString::fromStdString(found.error().message);
    QVERIFY2(message.contains(close), qPrintable(message));
    QVERIFY(message.size() < 400);
  }

  void distilledModelsKeepTheirOwnSampler() {
    const auto nameOf = [](const char* className) { return QString::fromStdString(defaultScheduler(className).name); };
    QCOMPARE(nameOf("LCMScheduler"), QString("LCM"));
    QCOMPARE(nameOf("TCD"), QString("TCD"));
    for (const char* other : {"", "PNDMScheduler", "EulerAncestralDiscreteScheduler", "LCMX", "NoSuchClass"}) {
      QCOMPARE(nameOf(other), QString("DPM++ 2M"));
    }
  }
};

QTEST_APPLESS_MAIN(TestSchedulerName)
#include "tst_scheduler_name.moc"
