// ratnet score
#include <chrono>
#include <filesystem>
#include <map>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../../imaging/nifti.h"
#include "../../../kernels/open.h"
#include "../../../train/hdf5_row_writer.h"
#include "../../program/commands.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/models.h"
#include "../../program/options.h"
#include "../../program/progress.h"
#include "../subject_slices.h"
#include "group_page.h"
#include "prepared_cohort.h"
#include "score_table.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> arguments;
  std::string output;
  bool no_pages = false;
  ComputeOptions compute;
};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::file_system, folder.string(), ": cannot make it: ", error.message());
}

class Scoring {
 public:
  Scoring(const Options& options, const ModelAndInputs& named)
      : options_(options),
        named_(named),
        model_(read(named.model)),
        plan_(
            model_.model.graph,
            std::make_shared<Parameters>(open_queue({.device = parse_device(options.compute.device),
                                                     .threads = options.compute.threads,
                                                     .executor = {}}),
                                         model_.model.weights),
            {.batch = 32, .precision = parse_precision(options.compute.precision)}) {}

  void run();

 private:
  static AnomalyModel read(const std::string& path) {
    try {
      return anomaly_model(load_model(path));
    } catch (const Error& error) {
      if (std::string_view(error.what()).starts_with(path)) throw;
      throw error.with_context(path);
    }
  }
  // Of false alarms: 1 in 20, or what the healthy subjects can vouch for.
  double rate() const { return std::max(0.05, model_.reference->smallest_rate()); }
  std::string title() const {
    return fs::path(named_.model).filename().string() + " (" + std::string(name_of(model_.method)) +
           (model_.combined ? ", combined with z-score and asymmetry)" : ")");
  }
  void score_slices(const std::string& path, const fs::path& folder);
  void score_scan(const std::string& path, const fs::path& folder);
  SubjectScores score(const PreparedSubject& subject, const std::string& input,
                      const fs::path& folder);
  // The file, unless this run has written it for another input: then throws Error (usage).
  std::string fresh(const fs::path& file, const std::string& input);
  void write_page(const PreparedSubject& subject, const SubjectAnomalies& found,
                  const SubjectSummary& summary, const fs::path& folder);

  const Options& options_;
  const ModelAndInputs& named_;
  AnomalyModel model_;
  Plan plan_;
  std::unique_ptr<ScoreTables> tables_;
  GroupReport group_;
  std::map<std::string, std::string> written_;  // files, and for whom
  std::int64_t slices_ = 0;
};

SubjectScores Scoring::score(const PreparedSubject& subject, const std::string& input,
                             const fs::path& folder) {
  stop_if_interrupted();
  SubjectAnomalies found = find_anomalies(plan_, model_, subject);
  const SubjectSummary summary = summarise(model_, subject, found.scores);
  tables_->add(subject, found.scores, summary, input);
  slices_ += subject.slices();
  std::printf("%s\n", sentence(model_, summary).c_str());
  std::fflush(stdout);
  if (!options_.no_pages) write_page(subject, found, summary, folder);
  return std::move(found.scores);
}

std::string Scoring::fresh(const fs::path& file, const std::string& input) {
  const auto [other, is_fresh] = written_.emplace(file.lexically_normal().string(), input);
  require(is_fresh, other->second, " and ", input, " would both write ", other->first,
          "; give them separate output folders");
  return other->first;
}

// A file name of what may be any text.
std::string file_name(const std::string& subject) {
  std::string name;
  for (const char c : subject.substr(0, 80))
    name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ? c : '-';
  return name.empty() ? "subject" : name;
}

void Scoring::write_page(const PreparedSubject& subject, const SubjectAnomalies& found,
                         const SubjectSummary& summary, const fs::path& folder) {
  SubjectReport report{.subject = subject,
                       .scores = found.scores,
                       .reconstruction = &found.reconstruction,
                       .reference = &*model_.reference,
                       .p_value = summary.p_value,
                       .threshold = model_.model.threshold,
                       .rate = rate(),
                       .model = title(),
                       .warnings = model_.model.warnings};
  for (std::size_t s = 0; s < subject.judged.size(); ++s)
    report.slice_p_values.push_back(
        subject.judged[s] ? model_.reference->sample_p_value(found.scores.slice_scores[s])
                          : std::nan(""));
  make_folder(folder);
  std::string page = file_name(subject.name) + ".html";
  for (int n = 2;
       page == "index.html" ||
       !written_.emplace((folder / page).lexically_normal().string(), subject.name).second;
       ++n)
    page = file_name(subject.name) + "-" + std::to_string(n) + ".html";
  write_file((folder / page).string(), subject_page(report));
  group_.rows.push_back(group_row(
      report, fs::path(folder / page).lexically_relative(options_.output).generic_string()));
}

// maps f32 [N, H, W], slice_score and p_value f32 [N], judged u8 [N], in the input's order.
void Scoring::score_slices(const std::string& path, const fs::path& folder) {
  SubjectCohort cohort = open_hdf5_cohort(path);
  for (const std::string& note : cohort.dataset().notes())
    std::fprintf(stderr, "note: %s\n", note.c_str());
  const SliceGrid grid = cohort.grid();
  const Shape map{grid.rows, grid.columns};
  Hdf5RowWriter file;
  file.add("maps", DType::f32, map.batch_of(cohort.slices()));
  const auto n = static_cast<std::size_t>(cohort.slices());
  std::vector<float> slice_scores(n, 0.0f), p_values(n, std::nanf(""));
  std::vector<std::uint8_t> judged(n, 0);
  for (std::size_t i = 0; i < cohort.subjects().size(); ++i) {
    const PreparedSubject subject = cohort.prepare(i, model_.preparation);
    const SubjectScores scores = score(subject, path, folder);
    for (std::size_t s = 0; s < subject.judged.size(); ++s) {
      const std::int64_t row = cohort.subjects()[i].rows[s];
      const auto at = static_cast<std::size_t>(row);
      if (std::isnan(scores.slice_scores[s])) continue;  // no brain: 0, as the file is made
      const Tensor shown =
          to_input_grid(slice_of<float>(scores.maps, static_cast<std::int64_t>(s)), grid);
      file.write("maps", row, shown.view());
      slice_scores[at] = static_cast<float>(scores.slice_scores[s]);
      judged[at] = subject.judged[s];
      if (judged[at])
        p_values[at] = static_cast<float>(model_.reference->sample_p_value(scores.slice_scores[s]));
    }
  }
  const Shape one{cohort.slices()};
  file.add("slice_score", ConstView(slice_scores.data(), DType::f32, one));
  file.add("p_value", ConstView(p_values.data(), DType::f32, one));
  file.add("judged", ConstView(judged.data(), DType::u8, one));
  make_folder(folder);
  file.commit(fresh(folder / "scores.h5", path));
  std::printf("maps: %s\n", (folder / "scores.h5").c_str());
}

// The map in the scan's space, 0 where there is no brain.
void Scoring::score_scan(const std::string& path, const fs::path& folder) {
  const PreparedScan scan = prepare_scan(path, model_.preparation);
  for (const std::string& note : scan.volume.notes)
    std::fprintf(stderr, "note: %s\n", note.c_str());
  const PreparedSubject& subject = scan.subject;
  const SliceLayout& layout = scan.layout;
  const SubjectScores scores = score(subject, path, folder);
  Tensor map(
      {scan.volume.geometry.sizes[2], scan.volume.geometry.sizes[1], scan.volume.geometry.sizes[0]},
      DType::f32);
  const auto& sizes = scan.volume.geometry.sizes;
  const std::array<std::int64_t, 3> strides = {1, sizes[0], sizes[0] * sizes[1]};
  const auto stride = [&](int axis) { return strides[static_cast<std::size_t>(axis)]; };
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (std::isnan(scores.slice_scores[static_cast<std::size_t>(s)])) continue;
    const Tensor shown = to_input_grid(slice_of<float>(scores.maps, s), layout.grid);
    const std::int64_t place = scan.reversed ? subject.slices() - 1 - s : s;
    for (std::int64_t r = 0; r < layout.grid.rows; ++r)
      for (std::int64_t c = 0; c < layout.grid.columns; ++c) {
        const std::int64_t row = layout.rows_reversed ? layout.grid.rows - 1 - r : r;
        const std::int64_t column = layout.columns_reversed ? layout.grid.columns - 1 - c : c;
        const std::int64_t at = place * stride(layout.axis) + row * stride(layout.row_axis) +
                                column * stride(layout.column_axis);
        map.values<float>()[static_cast<std::size_t>(at)] =
            shown.values<float>()[static_cast<std::size_t>(r * layout.grid.columns + c)];
      }
  }
  make_folder(folder);
  const std::string name = fresh((folder / (stem_of(path) + "_desc-anomaly_map.nii.gz")), path);
  write_nifti(name, map.view(), scan.volume.geometry);
  std::printf("  map: %s\n", name.c_str());
}

void Scoring::run() {
  require(!named_.inputs.empty(), "score needs a scan, a file of slices or a folder");
  const std::vector<Input> inputs = find_inputs(named_.inputs);
  const auto files = std::count_if(inputs.begin(), inputs.end(),
                                   [](const Input& input) { return is_hdf5_name(input.path); });
  catch_interrupts();
  make_folder(options_.output);
  tables_ = std::make_unique<ScoreTables>(model_, options_.output);
  for (const std::string& warning : model_.model.warnings)
    std::printf("warning: the model: %s\n", warning.c_str());
  const auto start = std::chrono::steady_clock::now();
  std::optional<Error> first_error;
  int unusable = 0;
  for (const Input& input : inputs) {
    fs::path folder = (fs::path(options_.output) / input.subfolder).lexically_normal();
    try {
      if (is_hdf5_name(input.path))
        score_slices(input.path, files > 1 ? folder / file_name(stem_of(input.path)) : folder);
      else
        score_scan(input.path, folder);
    } catch (const Error& error) {
      if (inputs.size() == 1 || error.kind() != ErrorKind::input) throw;
      std::fprintf(stderr, "ratnet: %s\n", error.what());
      if (!first_error) first_error = error;
      ++unusable;
    }
  }
  tables_->commit();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::vector<SubjectSummary> order = tables_->ranked();
  if (order.size() > 1) {
    std::printf("\nworst first:\n");
    for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 10); ++i)
      std::printf("  %s\n", sentence(model_, order[i]).c_str());
  }
  std::printf("\n%zu subject%s, %lld slices in %s (%.1f slices/s)\n", order.size(),
              order.size() == 1 ? "" : "s", static_cast<long long>(slices_),
              format_duration(took.count()).c_str(),
              static_cast<double>(slices_) / std::max(1e-9, took.count()));
  if (const std::string triage = tables_->triage(); !triage.empty())
    std::printf("%s\n", triage.c_str());
  if (!group_.rows.empty()) {
    group_.name = fs::path(named_.inputs.front()).filename().string();
    group_.reference = &*model_.reference;
    group_.rate = rate();
    group_.model = title();
    group_.warnings = model_.model.warnings;
    group_.throughput =
        text(slices_, " slices in ", format_duration(took.count()), ". ", tables_->triage());
    const std::string index = (fs::path(options_.output) / "index.html").string();
    write_file(index, group_page(group_));
    std::printf("page: %s\n", index.c_str());
  }
  std::printf("tables: %s, %s\n", (fs::path(options_.output) / "subjects.tsv").c_str(),
              (fs::path(options_.output) / "slices.tsv").c_str());
  if (first_error)
    fail(first_error->kind(), unusable, " of ", inputs.size(),
         " files could not be used; the first: ", first_error->what());
}

}  // namespace

void add_score(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "score", "How far slices and scans depart from healthy ones: maps, scores and a table");
  command
      ->add_option("files", options->arguments,
                   "MODEL.safetensors INPUT...; .nii, .nii.gz (3D), .h5 slices with `subject` and "
                   "`slice`, or folders of them")
      ->required();
  command->add_option("-o,--output", options->output, "folder for the results")->required();
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
