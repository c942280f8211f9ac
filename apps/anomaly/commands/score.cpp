// ratnet score
#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../../imaging/nifti.h"
#include "../../../train/hdf5_row_writer.h"
#include "../../program/commands.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/models.h"
#include "../../program/options.h"
#include "../../program/output.h"
#include "../../program/progress.h"
#include "../cohort_hdf5.h"
#include "../scored_scan.h"
#include "../subject_slices.h"
#include "group_page.h"
#include "score_table.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> arguments;
  std::string output, suffix;
  bool no_pages = false;
  ComputeOptions compute;
};

// A file name of what may be any text.
std::string file_name(const std::string& subject) {
  std::string name;
  for (const char c : subject.substr(0, 80))
    name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ? c : '-';
  return name.empty() ? "subject" : name;
}

// What the group's page is called after what was named on the command line.
std::string group_name(const std::vector<std::string>& arguments) {
  const fs::path path = fs::absolute(arguments.front()).lexically_normal();
  std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
  if (name.empty()) name = arguments.front();
  return arguments.size() == 1 ? name : text(name, " and ", arguments.size() - 1, " more");
}

// An input with the places of its results.
struct Task {
  Input input;
  fs::path folder;     // of the pages
  std::string output;  // the map or the file of maps
  std::string name;    // of the input, below the folder that was given
  std::string scan;    // what a scan is called in tables and pages: no two have one name
};

std::vector<Task> tasks_of(const std::vector<Input>& inputs, const fs::path& output) {
  const auto files =
      std::ranges::count_if(inputs, [](const Input& input) { return is_hdf5_name(input.path); });
  std::vector<Task> tasks;
  std::vector<std::string> outputs;
  for (const Input& input : inputs) {
    const fs::path file = fs::path(input.path).filename();
    const std::string base = base_of(input.path);
    fs::path folder = (output / input.subfolder).lexically_normal();
    if (is_hdf5_name(input.path) && files > 1) folder /= file_name(base);
    outputs.push_back(
        (folder / (is_hdf5_name(input.path) ? kAnomalyScoresFile : base + kAnomalyMapEnding))
            .string());
    tasks.push_back({input, folder, outputs.back(),
                     (fs::path(input.subfolder) / file).lexically_normal().string(), base});
  }
  check_distinct(inputs, outputs);
  // Outputs are apart, so scans of one name lie in folders of several.
  std::map<std::string, int> named;
  for (const Task& task : tasks) ++named[task.scan];
  for (Task& task : tasks)
    if (named[task.scan] > 1)
      task.scan = (fs::path(task.input.subfolder) / task.scan).lexically_normal().generic_string();
  return tasks;
}

// Of one input; they count once all of it is through.
struct Results {
  std::vector<SubjectSummary> subjects;
  std::vector<GroupRow> rows;
};

class Scoring {
 public:
  Scoring(const Options& options, const ModelAndInputs& named)
      : options_(options),
        named_(named),
        scorer_(named.model, {.threads = options.compute.threads,
                              .device = parse_device(options.compute.device),
                              .precision = parse_precision(options.compute.precision),
                              .tuner = tuning_if(options.compute.tune)}),
        model_(scorer_.model()),
        pages_(options.output),
        group_{.model = model_, .about = about()} {}

  void run();

 private:
  std::string about() const {
    return fs::path(named_.model).filename().string() + " (" + std::string(name_of(model_.method)) +
           (!model_.combined         ? ")"
            : model_.has_structure() ? ", combined with z-score, asymmetry and structure loss)"
                                     : ", combined with z-score and asymmetry)");
  }
  void score_slices(const Task& task, Results& results);
  void score_scan(const Task& task, Results& results);
  void tell(const SubjectSummary& summary, const AnomalyDetails& details, const Task& task,
            Results& results);
  void add_page(const SubjectReport& report, const fs::path& folder, Results& results);
  void finish(double seconds);

  const Options& options_;
  const ModelAndInputs& named_;
  AnomalyScorer scorer_;
  const AnomalyModel& model_;
  std::unique_ptr<ScoreTables> tables_;
  StagedFiles pages_;  // one for each row of the group, and those of an input that is not through
  GroupReport group_;
};

void Scoring::tell(const SubjectSummary& summary, const AnomalyDetails& details, const Task& task,
                   Results& results) {
  results.subjects.push_back(summary);
  std::printf("%s\n", sentence(model_, summary).c_str());
  std::fflush(stdout);
  if (!options_.no_pages)
    add_page({.model = model_,
              .subject = details.subject,
              .scores = details.scores,
              .reconstruction = details.reconstruction,
              .summary = summary,
              .about = group_.about},
             task.folder, results);
}

void Scoring::add_page(const SubjectReport& report, const fs::path& folder, Results& results) {
  const std::string name = file_name(report.summary.name);
  fs::path page = folder / (name + ".html");
  for (int n = 2; page.filename() == "index.html" || pages_.holds(page.string()); ++n)
    page = folder / (name + "-" + std::to_string(n) + ".html");
  pages_.add(page.string(), subject_page(report));
  const fs::path index_folder = fs::path(options_.output).lexically_normal();
  results.rows.push_back(group_row(report, page.lexically_relative(index_folder).generic_string()));
}

// maps f32 [N, H, W], slice_score and p_value f32 [N], judged u8 [N], in the input's order.
void Scoring::score_slices(const Task& task, Results& results) {
  SubjectCohort cohort = open_hdf5_cohort(task.input.path, Masks::ignored);
  for (const std::string& note : cohort.dataset().notes())
    std::fprintf(stderr, "note: %s\n", note.c_str());
  const SliceGrid grid = cohort.grid();
  const Shape map{grid.rows, grid.columns};
  Hdf5RowWriter file;
  file.add("maps", DType::f32, map.batch_of(cohort.slices()));
  const auto n = static_cast<std::size_t>(cohort.slices());
  std::vector<float> slice_scores(n, 0.0f), p_values(n, std::nanf(""));
  std::vector<std::uint8_t> judged(n, 0);
  for (std::size_t i = 0; i < cohort.scans().size(); ++i) {
    stop_if_interrupted();
    const CohortScan& scan = cohort.scans()[i];
    const Tensor images = cohort.read(i);
    AnomalyDetails details;
    const AnomalyScores scores = scorer_.score({.name = scan.name, .images = images}, details);
    // Subjects of two files may be called alike and be two.
    tell({scores, scan.name, task.name + ": " + scan.subject, task.name}, details, task, results);
    for (std::int64_t s = 0; s < scores.slices(); ++s) {
      const auto slice = static_cast<std::size_t>(s);
      const auto at = static_cast<std::size_t>(scan.rows[slice]);
      if (std::isnan(scores.slice_scores[slice])) continue;  // no brain: 0, as the file is made
      file.write("maps", scan.rows[slice],
                 ConstView(slice_of<float>(scores.maps, s).data(), DType::f32, map));
      slice_scores[at] = static_cast<float>(scores.slice_scores[slice]);
      judged[at] = scores.is_judged(s);
      p_values[at] = static_cast<float>(scores.slice_p_values[slice]);
    }
  }
  const Shape one{cohort.slices()};
  file.add("slice_score", ConstView(slice_scores.data(), DType::f32, one));
  file.add("p_value", ConstView(p_values.data(), DType::f32, one));
  file.add("judged", ConstView(judged.data(), DType::u8, one));
  make_folder(task.folder.string());
  file.commit(task.output);
  std::printf("maps: %s\n", task.output.c_str());
}

// The map in the scan's space, 0 where there is no brain.
void Scoring::score_scan(const Task& task, Results& results) {
  stop_if_interrupted();
  const Volume scan = read_nifti(task.input.path);
  for (const std::string& note : scan.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  AnomalyDetails details;
  const AnomalyScores scores = [&] {
    try {
      return scorer_.score(scan, task.scan, details);
    } catch (const Error& error) {
      throw error.with_context(task.input.path);
    }
  }();
  const std::string stated = stated_subject(task.input);
  tell({scores, task.scan, stated.empty() ? task.scan : stated, task.name}, details, task, results);
  make_folder(task.folder.string());
  write_nifti(task.output, scores.maps.view(), scan.geometry);
  std::printf("  map: %s\n", task.output.c_str());
}

void Scoring::finish(double seconds) {
  pages_.commit();
  tables_->commit();
  const std::vector<SubjectSummary> order = tables_->ranked();
  if (order.size() > 1) {
    std::printf("\nworst first:\n");
    for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 10); ++i)
      std::printf("  %s\n", sentence(model_, order[i]).c_str());
  }
  const std::string leak = leak_warning(order);
  if (!leak.empty()) std::printf("\nwarning: %s\n", leak.c_str());
  std::int64_t slices = 0;
  for (const SubjectSummary& summary : order) slices += summary.slices();
  const std::string took = format_duration(seconds), triage = tables_->triage();
  std::printf("\n%s, %lld slices in %s (%.1f slices/s)\n",
              counted_scans(tables_->subjects()).c_str(), static_cast<long long>(slices),
              took.c_str(), static_cast<double>(slices) / std::max(1e-9, seconds));
  if (!triage.empty()) std::printf("%s\n", triage.c_str());
  if (!group_.rows.empty()) {
    group_.name = group_name(named_.inputs);
    group_.leak_warning = leak;
    group_.throughput = text(slices, " slices in ", took, ". ", triage);
    const std::string index = (fs::path(options_.output) / "index.html").string();
    write_file(index, group_page(group_));
    std::printf("page: %s\n", index.c_str());
  }
  std::printf("tables: %s, %s\n", (fs::path(options_.output) / "subjects.tsv").c_str(),
              (fs::path(options_.output) / "slices.tsv").c_str());
}

void Scoring::run() {
  require(!named_.inputs.empty(), "score needs a scan, a file of slices or a folder");
  check_suffix(options_.suffix, named_.inputs);
  const std::vector<Task> tasks =
      tasks_of(find_inputs(named_.inputs, options_.suffix), options_.output);
  catch_interrupts();
  make_folder(options_.output);
  tables_ = std::make_unique<ScoreTables>(model_, options_.output);
  for (const std::string& warning : model_.model.warnings)
    std::printf("warning: the model: %s\n", warning.c_str());
  const auto start = std::chrono::steady_clock::now();
  UnusableInputs unusable(tasks.size());
  for (const Task& task : tasks) {
    unusable.try_one([&] {
      Results results;
      if (is_hdf5_name(task.input.path))
        score_slices(task, results);
      else
        score_scan(task, results);
      for (const SubjectSummary& summary : results.subjects) tables_->add(summary);
      std::ranges::move(results.rows, std::back_inserter(group_.rows));
    });
    pages_.keep(group_.rows.size());
  }
  finish(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  unusable.throw_if_any();
}

}  // namespace

void add_score(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "score", "How far slices and scans depart from healthy ones: maps, scores and a table");
  command
      ->add_option(
          "files", options->arguments,
          "MODEL.safetensors INPUT...; .nii, .nii.gz (3D), .h5 slices with `subject` and "
          "`slice`, or folders of them, in which masks and earlier results are passed over")
      ->required();
  command->add_option("-o,--output", options->output, "folder for the results")->required();
  command->add_option("--suffix", options->suffix, kSuffixHelp);
  command->add_flag("--no-pages", options->no_pages, "no page for each subject and for the group");
  add_compute_options(*command, options->compute);
  command->footer(
      "Example:\n"
      "  ratnet simulate anomaly --subjects 8 --slices 12 --seed 1 -o heads.h5\n"
      "  ratnet train anomaly heads.h5 -o healthy.safetensors --epochs 2\n"
      "  ratnet score healthy.safetensors heads.h5 -o scores");
  command->callback([options] {
    const ModelAndInputs named = split_model(options->arguments);
    require(!options->arguments.empty() && options->arguments[0].ends_with(".safetensors"),
            "score needs a model first: ratnet train anomaly makes one");
    Scoring(*options, named).run();
  });
}

}  // namespace ratnet::inline v1
