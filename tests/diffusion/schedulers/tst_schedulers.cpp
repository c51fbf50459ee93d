#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include <QtTest>

#include "core/diffusion/failure.h"
#include "core/diffusion/schedulers/scheduler.h"

using namespace polyptych;
using base::ErrorCode;
using diffusion::EngineFailure;
using diffusion::makeScheduler;

namespace {

using Values = std::map<std::string, std::string>;

constexpr std::array<std::int64_t, 4> kShape{2, 4, 3, 5};

class CountedNoise : public diffusion::NoiseSource {
 public:
  at::Tensor normal(at::IntArrayRef shape, at::ScalarType type) override {
    ++m_draws;
    return at::randn(shape, m_generator, at::TensorOptions().dtype(type));
  }
  int m_draws = 0;

 private:
  at::Generator m_generator = at::detail::createCPUGenerator(3);
};

/// What the scheduler_config.json of a Stable Diffusion 1.5 folder holds, after the pipeline's repairs.
Values stableDiffusion() {
  return {{"num_train_timesteps", "1000"},        {"beta_start", "0.00085"}, {"beta_end", "0.012"},
          {"beta_schedule", "\"scaled_linear\""}, {"steps_offset", "1"},     {"clip_sample", "false"}};
}

std::unique_ptr<diffusion::Scheduler> make(const std::string& className, const Values& changes = {}) {
  checkpoint::SchedulerConfig config;
  config.className = "PNDMScheduler";
  config.values = stableDiffusion();
  for (const auto& [key, value] : changes) {
    config.values[key] = value;
  }
  return makeScheduler({className, className, {}}, config);
}

struct Run {
  at::Tensor sample;
  int calls = 0;
  int draws = 0;
};

/// A run with a network that answers every call with `original`.
Run run(diffusion::Scheduler& scheduler, int steps, const at::Tensor& original) {
  scheduler.setTimesteps(steps);
  CountedNoise noise;
  Run out;
  out.sample = at::randn(kShape, at::detail::createCPUGenerator(7)) * scheduler.initNoiseSigma();
  out.calls = static_cast<int>(scheduler.timesteps().size(0));
  for (int call = 0; call < out.calls; ++call) {
    scheduler.scaleModelInput(out.sample, call);
    out.sample = scheduler.step(original, call, out.sample, noise);
  }
  out.draws = noise.m_draws;
  return out;
}

/// @return nothing if `work` throws no EngineFailure
std::optional<base::Error> failureOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const EngineFailure& failure) {
    return failure.error();
  }
  return std::nullopt;
}

}  // namespace

class TestSchedulers : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everySamplerOfTheListRuns_data() {
    QTest::addColumn<int>("entry");
    for (std::size_t i = 0; i < domain::schedulerCatalogue().size(); ++i) {
      QTest::newRow(domain::schedulerCatalogue()[i].name.c_str()) << static_cast<int>(i);
    }
  }
  void everySamplerOfTheListRuns() {
    QFETCH(int, entry);
    const c10::InferenceMode guard;
    const auto& choice = domain::schedulerCatalogue()[static_cast<std::size_t>(entry)];
    const auto scheduler = makeScheduler(choice, {"PNDMScheduler", stableDiffusion(), {}});
    const Run made = run(*scheduler, 6, at::zeros(kShape));
    QVERIFY(made.calls >= 6);
    QVERIFY(made.sample.isfinite().all().item<bool>());
    const at::Tensor times = scheduler->timesteps().to(at::kDouble);
    QVERIFY((times.slice(0, 0, 1) <= 999).all().item<bool>());
    QVERIFY((times >= 0).all().item<bool>());
    QVERIFY((times[0] > times[-1]).item<bool>());
    if (const auto sigmas = scheduler->sigmas()) {
      QCOMPARE(sigmas->scalar_type(), at::kFloat);
      QVERIFY(sigmas->size(0) > made.calls);
    }
  }

  /// A network that knows the picture: whatever the path, the end is the picture, but for the noise that the last level keeps.
  void endsAtThePictureTheNetworkKnows_data() {
    QTest::addColumn<QString>("className");
    QTest::addColumn<QString>("sigmas");
    QTest::addColumn<double>("noiseLeft");
    for (const char* sigmas : {"", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"}) {
      for (const char* name :
           {"EulerDiscrete", "HeunDiscrete", "LMSDiscrete", "DPMSolverMultistep", "DPMSolverSinglestep", "UniPCMultistep"}) {
        QTest::addRow("%s %s", name, sigmas) << name << sigmas << 2e-4;
      }
      QTest::addRow("DEISMultistep %s", sigmas) << "DEISMultistep" << sigmas << 0.2;
    }
    QTest::newRow("DDIM") << "DDIM"
                          << "" << 1e-5;
    QTest::newRow("DDPM") << "DDPM"
                          << "" << 1e-5;
    QTest::newRow("LCM") << "LCM"
                         << "" << 1e-3;
    QTest::newRow("TCD") << "TCD"
                         << "" << 0.2;
  }
  void endsAtThePictureTheNetworkKnows() {
    QFETCH(QString, className);
    QFETCH(QString, sigmas);
    QFETCH(double, noiseLeft);
    const c10::InferenceMode guard;
    const at::Tensor picture = at::randn(kShape, at::detail::createCPUGenerator(9));
    Values changes{{"prediction_type", "\"sample\""}};
    if (!sigmas.isEmpty()) {
      changes[sigmas.toStdString()] = "true";
    }
    for (const int steps : {1, 4, 16}) {
      if (steps == 1 && className == "DEISMultistep" && !sigmas.isEmpty()) {
        continue;  // its last level repeats the one before: a single step goes nowhere
      }
      const auto scheduler = make(className.toStdString(), changes);
      const double gap = (run(*scheduler, steps, picture).sample - picture).abs().max().item<double>();
      QVERIFY2(gap <= noiseLeft, qPrintable(QString("%1 steps: %2").arg(steps).arg(gap)));
    }
  }

  /// The number of draws is part of a picture: more or fewer would give its neighbours' steps other noise than diffusers'.
  void drawsAsOftenAsDiffusers_data() {
    QTest::addColumn<QString>("className");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    QTest::addColumn<int>("draws");
    const auto row = [](const char* name, const char* key, const char* value, int draws) {
      QTest::addRow("%s %s %s", name, key, value) << name << key << value << draws;
    };
    for (const char* name : {"DDIM", "PNDM", "TCD", "EulerDiscrete", "HeunDiscrete", "LMSDiscrete", "KDPM2Discrete",
                             "UniPCMultistep", "DEISMultistep", "DPMSolverMultistep", "DPMSolverSinglestep"}) {
      row(name, "clip_sample", "false", 0);
    }
    row("EulerAncestralDiscrete", "clip_sample", "false", 5);
    row("DDPM", "steps_offset", "1", 5);
    row("DDPM", "steps_offset", "0", 4);
    row("LCM", "clip_sample", "false", 4);
    row("KDPM2AncestralDiscrete", "clip_sample", "false", 4);
    row("DPMSolverMultistep", "algorithm_type", "\"sde-dpmsolver++\"", 5);
    row("DPMSolverSinglestep", "algorithm_type", "\"sde-dpmsolver++\"", 5);
  }
  void drawsAsOftenAsDiffusers() {
    QFETCH(QString, className);
    QFETCH(QString, key);
    QFETCH(QString, value);
    QFETCH(int, draws);
    const c10::InferenceMode guard;
    const auto scheduler = make(className.toStdString(), {{key.toStdString(), value.toStdString()}});
    QCOMPARE(run(*scheduler, 5, at::zeros(kShape)).draws, draws);
  }

  void callsPerStep() {
    const std::map<std::string, int> twice{{"HeunDiscrete", 13}, {"KDPM2Discrete", 13}, {"KDPM2AncestralDiscrete", 13}};
    for (const auto& [name, calls] : twice) {
      const auto scheduler = make(name);
      scheduler->setTimesteps(7);
      QCOMPARE(scheduler->order(), 2);
      QCOMPARE(scheduler->timesteps().size(0), static_cast<std::int64_t>(calls));
    }
    const auto pndm = make("PNDM");
    pndm->setTimesteps(7);
    QCOMPARE(pndm->timesteps().size(0), std::int64_t{16});
    const auto plms = make("PNDM", {{"skip_prk_steps", "true"}});
    plms->setTimesteps(7);
    QCOMPARE(plms->timesteps().size(0), std::int64_t{8});
  }

  void trailingSpacingGivesTheStepsAskedFor() {
    // 1000 / (1000 / n) is a little above n for these, in binary fractions.
    for (const int steps : {61, 103, 499, 998}) {
      for (const char* name : {"DDIM", "EulerDiscrete", "DPMSolverMultistep"}) {
        const auto scheduler = make(name, {{"timestep_spacing", "\"trailing\""}});
        scheduler->setTimesteps(steps);
        QCOMPARE(scheduler->timesteps().size(0), static_cast<std::int64_t>(steps));
        QVERIFY(scheduler->timesteps()[-1].item<double>() >= 0);
      }
    }
  }

  void choiceGoesOverTheModelAndUnknownKeysAreLeftOut() {
    const domain::SchedulerChoice leading{"", "EulerDiscrete", {{"timestep_spacing", "\"leading\""}}};
    const checkpoint::SchedulerConfig model{
        "DDIMScheduler", {{"timestep_spacing", "\"trailing\""}, {"clip_sample", "\"what\""}, {"new_key", "[1, {}]"}}, {}};
    const auto scheduler = makeScheduler(leading, model);
    scheduler->setTimesteps(4);
    QVERIFY(at::equal(scheduler->timesteps(), at::tensor({750.0F, 500.0F, 250.0F, 0.0F})));
    const auto plain = makeScheduler({"", "EulerDiscrete", {}}, model);
    plain->setTimesteps(4);
    QVERIFY(at::equal(plain->timesteps(), at::tensor({999.0F, 749.0F, 499.0F, 249.0F})));
  }

  /// The pipeline repairs what it was loaded with, not what is built for it from that one's own keys.
  void repairedDefaultsBelongToTheModelsOwnClass() {
    checkpoint::SchedulerConfig model{"EulerDiscreteScheduler", {{"timestep_spacing", "\"leading\""}}, {{"steps_offset", "1"}}};
    const auto own = makeScheduler({"", "EulerDiscrete", {}}, model);
    own->setTimesteps(4);
    QVERIFY(at::equal(own->timesteps(), at::tensor({751.0F, 501.0F, 251.0F, 1.0F})));
    const auto other = makeScheduler({"", "EulerAncestralDiscrete", {}}, model);
    other->setTimesteps(4);
    QVERIFY(at::equal(other->timesteps(), at::tensor({750.0F, 500.0F, 250.0F, 0.0F})));
    model.values["steps_offset"] = "3";
    const auto chosen = makeScheduler({"", "EulerDiscrete", {}}, model);
    chosen->setTimesteps(4);
    QVERIFY(at::equal(chosen->timesteps(), at::tensor({753.0F, 503.0F, 253.0F, 3.0F})));
  }

  void refusesValuesByName_data() {
    QTest::addColumn<QString>("className");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    QTest::addColumn<bool>("isWrongType");
    const auto row = [](const char* name, const char* key, const char* value, bool isWrongType) {
      QTest::addRow("%s %s %s", name, key, value) << name << key << value << isWrongType;
    };
    row("DDIM", "beta_schedule", "\"quadratic\"", false);
    row("DDIM", "prediction_type", "\"flow_prediction\"", false);
    row("DDIM", "timestep_spacing", "\"random\"", false);
    row("DDPM", "variance_type", "\"learned\"", false);
    row("EulerAncestralDiscrete", "prediction_type", "\"sample\"", false);
    row("EulerDiscrete", "interpolation_type", "\"cubic\"", false);
    row("EulerDiscrete", "timestep_type", "\"other\"", false);
    row("DPMSolverMultistep", "algorithm_type", "\"euler\"", false);
    row("DPMSolverMultistep", "final_sigmas_type", "\"one\"", false);
    row("DPMSolverMultistep", "solver_order", "4", false);
    row("DPMSolverMultistep", "use_flow_sigmas", "true", false);
    row("UniPCMultistep", "solver_type", "\"bh3\"", false);
    row("LCM", "original_inference_steps", "0", false);
    row("LCM", "original_inference_steps", "2000", false);
    row("DDIM", "num_train_timesteps", "0", false);
    row("KDPM2Discrete", "num_train_timesteps", "1", false);
    row("DDIM", "num_train_timesteps", "99999999", false);
    row("DDIM", "trained_betas", "[0.1, 0.2]", false);
    row("DDIM", "beta_start", "\"small\"", true);
    row("DDIM", "steps_offset", "1.5", true);
    row("DDIM", "num_train_timesteps", "1e30", true);
    row("DDIM", "clip_sample", "1", true);
    row("DDIM", "trained_betas", "[\"a\"]", true);
    row("DDIM", "beta_schedule", "{}", true);
  }
  void refusesValuesByName() {
    QFETCH(QString, className);
    QFETCH(QString, key);
    QFETCH(QString, value);
    QFETCH(bool, isWrongType);
    const auto error = failureOf([&] {
      const auto scheduler = make(className.toStdString(), {{key.toStdString(), value.toStdString()}});
      scheduler->setTimesteps(5);
    });
    QVERIFY(error.has_value());
    QCOMPARE(error->code, isWrongType ? ErrorCode::Corrupt : ErrorCode::Unsupported);
    const QString message = QString::fromStdString(error->message);
    QVERIFY2(message.contains(key), qPrintable(message));
    if (!value.startsWith('[')) {
      QVERIFY2(message.contains(value.remove('"')), qPrintable(message));
    }
  }

  void refusesWhatDoesNotFit() {
    const auto tooMany = failureOf([] { make("LCM")->setTimesteps(51); });
    QVERIFY(tooMany.has_value());
    QCOMPARE(tooMany->code, ErrorCode::InvalidArgument);
    const auto tooFew = failureOf([] { make("PNDM")->setTimesteps(3); });
    QVERIFY(tooFew.has_value());
    QCOMPARE(tooFew->code, ErrorCode::InvalidArgument);
    const auto both = failureOf([] { make("EulerDiscrete", {{"use_karras_sigmas", "true"}, {"use_beta_sigmas", "true"}}); });
    QVERIFY(both.has_value());
    QCOMPARE(both->code, ErrorCode::Unsupported);
    const auto unknown = failureOf([] { make("FlowMatchEuler"); });
    QVERIFY(unknown.has_value());
    QCOMPARE(unknown->code, ErrorCode::Unsupported);
    QVERIFY(unknown->message.find("FlowMatchEuler") != std::string::npos);
  }
};

QTEST_APPLESS_MAIN(TestSchedulers)
#include "tst_schedulers.moc"
