#include "../../program/commands.h"
namespace ratnet::inline v1 { void add_score(CLI::App&) {} }
