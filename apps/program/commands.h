// The program's commands. Each declares its options on the parent and does its work when chosen;
// errors are thrown.
#pragma once

namespace CLI {
class App;
}

namespace ratnet::inline v1 {

void add_simulate_anomaly(CLI::App& simulate);
void add_simulate_dark_slices(CLI::App& simulate);
void add_simulate_lesions(CLI::App& simulate);
void add_train_dark_slices(CLI::App& train);
void add_train_anomaly(CLI::App& train);
void add_train_graph(CLI::App& train);
void add_evaluate(CLI::App& program);
void add_predict(CLI::App& program);
void add_score(CLI::App& program);
void add_inspect(CLI::App& program);
void add_bench(CLI::App& program);
void add_devices(CLI::App& program);

}  // namespace ratnet::inline v1
