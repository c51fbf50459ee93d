#include "app/polyptych-cli/arguments.h"

namespace polyptych::cli {

std::string helpText() {
  return R"(polyptych-cli: a list of prompts in, a folder of pictures out, on every device of the machine.

  polyptych-cli generate [PROMPT ...] [options]   make pictures
  polyptych-cli devices [--json]                  the devices of this machine
  polyptych-cli models [--json]                   the models on this machine
  polyptych-cli show-model REF [--json]           what is in a model
  polyptych-cli schedulers [--json]               names for --scheduler
  polyptych-cli tokenize --model REF [--json]     lines of standard input -> token ids, and the words that did not fit
  polyptych-cli contact-sheet FOLDER [--out FILE] [--columns N] [--cell PIXELS]    a run's pictures on one sheet
  polyptych-cli runs [--limit N] [--json]         the runs of the library, newest first
  polyptych-cli queue list [--run N] [--state S] [--limit N] [--json]              what waits, is in work or failed
  polyptych-cli queue pause|resume [--run N]      nothing new is begun; what is in work is finished
  polyptych-cli queue cancel|retry|front [JOB ...] [--run N]    of these jobs, of this run, or (not front) of all;
                                                  cancel --state waiting|in_work: only those
  polyptych-cli queue requeue [JOB ...] [--run N] [--steps N] [--width N] [--height N] [--guidance X] [--scheduler NAME]
      [--negative TEXT] [--seed N] [--batch N]    ask again for what failed, changed, in a new run
  polyptych-cli queue dismiss [JOB ...] [--run N] what failed is not counted any more
  polyptych-cli queue move JOB ... [--before JOB] without it: behind all others
  polyptych-cli queue undo NUMBER                 takes back what gave that number: cancel, dismiss, front, move
  polyptych-cli pictures [--search TEXT] [--run N] [--stars N] [--limit N] [--json]   of the library, newest first
  polyptych-cli limits [NAME=VALUE ...] [--json]  how many failures are put up with, and when idle workers let go
  polyptych-cli library check [--repair] [--json]   differences of the library's files and its index, and mend them
  polyptych-cli library rebuild [--json]          make the index again from the files
  polyptych-cli library export FOLDER [--search TEXT] [--run N] [--stars N] [--name TEMPLATE]   copy pictures out of it
  polyptych-cli library import FOLDER [--json]    copy pictures made by Polyptych into it
  polyptych-cli launch [--num-processes N] [--num-machines N --machine-rank N --main-process-ip HOST
      --main-process-port N] [--devices LIST | --gpu-ids LIST | --cpu] [--max-restarts N] generate ...
                                                  generate by several processes, of one machine or several
  polyptych-cli merge FOLDER ... [--out DIR]      join what ended processes left, or several machines' folders
  polyptych-cli env [--json]                      what a launcher (torchrun, mpirun, srun) says of this process
  polyptych-cli --help | --version

REF is a folder in diffusers format, a name in the Hugging Face cache (org/name or org/name@revision), or demo: the
small model that comes with the program.

pictures and library take --library DIR, or --out DIR for the folder of one run. A search finds its text anywhere in a
prompt, in any script.
The names of an export are made from run, index, prompt, seed, model, scheduler, stars and date in
braces ({run}-{index}-{prompt}).

Prompts of generate: the arguments (after -- they may begin with a dash; "" is an empty prompt), then the list.
  --prompts FILE|-         a text file in UTF-8, or standard input: one prompt a line, blank lines skipped
  --negative TEXT          what the pictures should not show
  --images-per-prompt N    1 to 10000 (1)
  --seed N                 0 to 18446744073709551615; picture i has seed N + i. Drawn and reported if not given;
                           a run that goes on keeps the seed of its folder

Where and how:
  --model REF              (demo; without that one, the only model of this machine)
  --variant NAME           weight files of that variant, as fp16 (the folder's plain files, or its only variant)
  --devices LIST           cpu, cpu:N (N workers), cuda:I, GPU-uuid, all; commas between, repeats mean several workers
                           (all GPUs, or else one CPU worker with all cores). cuda:0+cuda:1 or cpu+cpu: a pair that
                           makes each picture together
  --library DIR            the library that the run goes to ("Polyptych" in your folder for pictures)
  --out DIR                in place of a library: a folder for the pictures and manifest.jsonl of this one run. Nothing
                           in it is overwritten; with the manifest of the same run in it, that run goes on
  --resume                 go on by itself after a crash or a power cut; otherwise the queue asks first
  --batch N                pictures made at once by a worker, 1 to 64 (--out: 1; else chosen by what was measured and
                           the GPUs' free memory)
  --dtype TYPE             auto, fp32, fp16 or bf16 (auto: fp16 if every device is a GPU, else fp32)
  --threads N              of a CPU worker, 1 to 1024 (its cores)
  --vae-slicing            decode pictures of a batch one by one: less memory
  --vae-tiling             decode large pictures in tiles: less memory, slightly other pixels

What the pictures are like:
  --steps N                1 to 1000 (25)
  --guidance X             0 to 1000; no guidance up to 1 (7.5)
  --guidance-rescale X     0 to 1 (0)
  --width W, --height H    multiples of 8 from 8 to 8192 (the model's own size)
  --scheduler NAME         see polyptych-cli schedulers (DPM++ 2M, or what the model was made for)
  --clip-skip N            leave out the last N layers of the text encoder, 0 to 64
  --noise float|model      draw starting noise in fp32, or in the compute type as diffusers does (float)

As one of several processes (torchrun --no-python, mpirun, srun, or launch; with --out, each on its device of LIST):
  --split pull|static      pull: who is done leases more; static: accelerate's rule, contiguous blocks (pull)
  --join-timeout S         until rank 0 must have begun (300)
  --rank-timeout S         without a sign of life a rank's work goes to the others (20)
  --weights WAY            files: each rank reads the model; broadcast: rank 0 reads and sends it; measured: what is
                           faster while they load (measured on GPUs, else files)

For other programs:
  --json                   a JSON object a line on standard output: started, device, progress, picture, failed, finished
  --trace FILE             what a single unit of work computed, as safetensors: embeddings, timesteps, latents, image
  --initial-latents FILE   a safetensors file with the tensor latents, in place of noise; single unit of work only

Ctrl-C stops after the step in work and leaves a folder that can go on; Ctrl-C again ends at once.
Exit codes: 0 all pictures made; 1 some failed; 2 wrong usage; 3 the model cannot be used; 130 interrupted.
)";
}

}  // namespace polyptych::cli
