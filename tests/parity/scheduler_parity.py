"""Every scheduler against diffusers, live, step by step: numbers of steps, and each option a class has. scheduler_parity.py PROBE

Where diffusers itself raises, the probe must refuse. Known faults of diffusers 0.42 that this program does not share are left out, each at its place
below: a run whose first time stands twice would begin at its second level and run out of them, so it is told to begin at 0; UniPC's bh1 ends in NaN at a last level of zero.
"""
import importlib.util
import inspect
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile

if importlib.util.find_spec("diffusers") is None:
    print("SKIP: diffusers is not in this Python environment")
    sys.exit(77)

import diffusers
import torch
from safetensors.torch import load_file

diffusers.utils.logging.set_verbosity_error()

STEPS = (1, 2, 5, 20, 50)
TOLERANCE = 1e-4  # of the sample's scale, after all steps; fp32
SD15 = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "steps_offset": 1, "clip_sample": False}
CLASSES = ("DDIM", "DDPM", "PNDM", "EulerDiscrete", "EulerAncestralDiscrete", "DPMSolverMultistep", "DPMSolverSinglestep", "UniPCMultistep", "LCM", "TCD",
           "HeunDiscrete", "LMSDiscrete", "KDPM2Discrete", "KDPM2AncestralDiscrete", "DEISMultistep")
SPACED = ("DPMSolverMultistep", "DPMSolverSinglestep", "UniPCMultistep", "DEISMultistep", "EulerDiscrete", "HeunDiscrete", "LMSDiscrete", "KDPM2Discrete",
          "KDPM2AncestralDiscrete")
SIGMAS = ({}, {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"use_beta_sigmas": True})
SPACINGS = tuple({"timestep_spacing": s} for s in ("leading", "linspace", "trailing"))
PREDICTIONS = tuple({"prediction_type": p} for p in ("epsilon", "v_prediction", "sample"))
# As scheduler_config.json of Stable Diffusion 1.5 and 2.1 have them: keys of one class that others share, or do not know.
FILES = ({"_class_name": "PNDMScheduler", "set_alpha_to_one": False, "skip_prk_steps": True, "trained_betas": None},
         {"_class_name": "DDIMScheduler", "set_alpha_to_one": False, "skip_prk_steps": True, "prediction_type": "v_prediction"})
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}
THRESHOLDING = {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}


def union(*parts):
    out = {}
    for part in parts:
        out.update(part)
    return out


def options(cls):
    """Option sets of a class, each over SD 1.5's configuration."""
    known = set(getattr(diffusers, cls + "Scheduler")._get_init_keys(getattr(diffusers, cls + "Scheduler")))
    sets = [{}]
    sigmas = SIGMAS if cls in SPACED else ({},)
    for spacing, sigma in itertools.product(SPACINGS, sigmas):
        sets.append(union(spacing, sigma))
    for prediction, sigma in itertools.product(PREDICTIONS, sigmas):
        sets.append(union(prediction, sigma))
    sets += [COSINE, {"beta_schedule": "linear"}, {"trained_betas": [0.001 + 0.00001 * i for i in range(1000)]}]
    if "use_karras_sigmas" in known:
        sets.append(union(COSINE, {"use_karras_sigmas": True}))
    if "rescale_betas_zero_snr" in known:
        sets += [ZERO_SNR, union(ZERO_SNR, {"timestep_spacing": "leading", "prediction_type": "epsilon"})]
    if "thresholding" in known:
        sets += [THRESHOLDING, union(THRESHOLDING, {"prediction_type": "v_prediction"})]
    if "clip_sample" in known:
        sets += [{"clip_sample": True}, {"clip_sample": True, "clip_sample_range": 0.7}]
    if "set_alpha_to_one" in known:
        sets += [{"set_alpha_to_one": True}, {"set_alpha_to_one": False}]
    if "final_sigmas_type" in known:
        sets += [{"final_sigmas_type": "sigma_min"}, {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True}]
    if "interpolation_type" in known:
        sets += [{"interpolation_type": "log_linear"}, {"interpolation_type": "log_linear", "use_karras_sigmas": True},
                 {"timestep_type": "continuous", "prediction_type": "v_prediction"},
                 {"use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 10.0}]
    if cls == "DDPM":
        sets += [{"variance_type": v} for v in ("fixed_small_log", "fixed_large", "fixed_large_log")] + [{"beta_schedule": "sigmoid"}]
    if cls == "PNDM":
        sets += [union({"skip_prk_steps": s}, p, t) for s in (True, False) for p in PREDICTIONS for t in SPACINGS]
    if cls in ("LCM", "TCD"):
        sets += [{"original_inference_steps": 100}, {"timestep_scaling": 5.0}]
    if cls.startswith("DPMSolver"):
        kinds = ("dpmsolver++", "dpmsolver", "sde-dpmsolver++") + (("sde-dpmsolver",) if cls == "DPMSolverMultistep" else ())
        for kind, order, solver in itertools.product(kinds, (1, 2, 3), ("midpoint", "heun")):
            ends = {} if kind.endswith("++") else {"final_sigmas_type": "sigma_min"}
            sets.append(union({"algorithm_type": kind, "solver_order": order, "solver_type": solver}, ends))
        sets += [{"lower_order_final": False}, {"lower_order_final": True}, {"lower_order_final": False, "solver_order": 3, "final_sigmas_type": "sigma_min"},
                 {"lambda_min_clipped": -5.1}, union(THRESHOLDING, {"solver_order": 3})]
        if cls == "DPMSolverMultistep":
            sets += [{"euler_at_final": True}, {"use_lu_lambdas": True}, union(THRESHOLDING, {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"})]
    if cls == "UniPCMultistep":
        sets += [{"solver_order": o, "solver_type": s, "predict_x0": x} for o in (1, 2, 3) for s in ("bh1", "bh2") for x in (True, False)]
        sets += [{"disable_corrector": [0, 1]}, {"lower_order_final": False, "final_sigmas_type": "sigma_min"}]
    if cls == "DEISMultistep":
        sets += [{"solver_order": o} for o in (1, 2, 3)] + [{"lower_order_final": False}]
    return sets


def normal(seed, dtype):
    return torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(seed)).to(dtype)


def theirs(cls, config, overrides, steps, dtype):
    kind = getattr(diffusers, cls + "Scheduler")
    scheduler = kind.from_config(config, **overrides)
    scheduler.set_timesteps(steps)
    out = {"timesteps": scheduler.timesteps.clone()}
    if hasattr(scheduler, "sigmas") and torch.is_tensor(scheduler.sigmas):
        out["sigmas"] = scheduler.sigmas.clone()
    if (scheduler.timesteps == scheduler.timesteps[0]).sum() > 1 and hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    generators = [torch.Generator().manual_seed(s) for s in (11, 12)]
    arguments = {}
    if "generator" in inspect.signature(scheduler.step).parameters:
        arguments["generator"] = generators
    if "eta" in inspect.signature(scheduler.step).parameters:
        arguments["eta"] = 0.0  # StableDiffusionPipeline passes it
    sample = normal(7, dtype) * scheduler.init_noise_sigma
    out["start"] = sample
    for call, time in enumerate(scheduler.timesteps):
        given = scheduler.scale_model_input(sample, time)
        out[f"input.{call:03d}"] = given
        sample = scheduler.step(normal(1000 + call, dtype) * 0.5 + given * 0.5, time, sample, return_dict=False, **arguments)[0]
        out[f"sample.{call:03d}"] = sample
    return out


def saved_file(cls):
    """scheduler_config.json as diffusers saves it, with the values of SD 1.5 that the class knows."""
    kind = getattr(diffusers, cls + "Scheduler")
    known = inspect.signature(kind.__init__).parameters
    return kind(**{key: value for key, value in SD15.items() if key in known}).to_json_string()


def gap(ours, expected):
    ours, expected = ours.double(), expected.double()
    bad_ours, bad_theirs = ~ours.isfinite(), ~expected.isfinite()
    if not torch.equal(bad_ours, bad_theirs):
        return math.inf
    good = ~bad_theirs
    if not good.any():
        return 0.0
    return ((ours[good] - expected[good]).abs().max() / expected[good].abs().max().clamp(min=1e-6)).item()


def main():
    probe = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    torch.set_num_threads(1)
    failures, cases, refused, worst = [], 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        out = os.path.join(folder, "out.safetensors")
        for cls in CLASSES:
            runs = [(SD15, o, n, False) for o in options(cls) for n in STEPS]
            runs += [({**SD15, **file}, {}, 5, False) for file in FILES] + [(SD15, {}, 20, True)]
            runs += [(saved_file(other), {}, 5, False) for other in CLASSES]
            for config, overrides, steps, half in runs:
                file = config if isinstance(config, str) else None
                config = json.loads(file) if file else config
                cases += 1
                if overrides == {} and steps == STEPS[0]:
                    print(f"{cls}: {len(options(cls))} option sets", flush=True)
                name = f"{cls} {config.get('_class_name', '')} {overrides if 'trained_betas' not in overrides else 'trained_betas'} n={steps}{' fp16' if half else ''}"
                request = {"class": cls, "config": {k: v for k, v in config.items() if k[0] != "_"}, "overrides": overrides, "steps": steps, "half": half, "out": out}
                if file:
                    request.update(file=file, config={})
                probe.stdin.write(json.dumps(request) + "\n")
                probe.stdin.flush()
                answer = json.loads(probe.stdout.readline())
                try:
                    expected = theirs(cls, config, overrides, steps, torch.float16 if half else torch.float32)
                except Exception as error:
                    if cls.startswith("DPMSolver") and config.get("algorithm_type") == "deis":
                        continue  # a model saved with DEIS: ours takes DPM++'s own default in its place
                    refused += 1
                    if "code" not in answer:
                        failures.append(f"{name}: diffusers refuses ({type(error).__name__}: {str(error)[:100]}), the probe does not")
                    continue
                if "code" in answer:
                    if overrides.get("algorithm_type") == "sde-dpmsolver" and overrides.get("solver_order") == 3 and answer["code"] == "unsupported":
                        continue  # diffusers has no third order of it and goes on only while it is not needed
                    failures.append(f"{name}: {answer}")
                    continue
                ours = load_file(out)
                if len(ours["timesteps"]) != len(expected["timesteps"]):
                    failures.append(f"{name}: {len(ours['timesteps'])} calls, not {len(expected['timesteps'])}")
                    continue
                for key, value in expected.items():
                    if key not in ours:
                        failures.append(f"{name}: no {key}")
                        break
                    if overrides.get("solver_type") == "bh1" and value.isnan().all() and ours[key].isfinite().all():
                        continue
                    difference = gap(ours[key], value)
                    # Third-order DEIS takes differences of nearly equal logarithms in fp32.
                    limit = 4e-3 if half else (1e-5 if value.is_floating_point() else 0.0) if key == "timesteps" else TOLERANCE * (5 if cls == "DEISMultistep" and overrides.get("solver_order") == 3 else 1)
                    if not half and key.startswith("sample"):
                        worst = max(worst, difference) if math.isfinite(difference) else worst
                    if not difference <= limit:
                        failures.append(f"{name}: {key} differs by {difference:.2e}")
                        break
    for failure in failures[:60]:
        print("FAIL", failure)
    print(f"{cases} cases ({refused} that diffusers refuses), {len(failures)} failures; largest difference of a sample {worst:.2e} of its scale")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
