import Commands
import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())
var environment: [String: String] = [:]
for name in ["HOME"] {
    if let value = getenv(name) { environment[name] = String(cString: value) }
}

do {
    try await Console(print: { line in print(line) }).run(arguments, environment: environment)
} catch {
    fputs("strata-provision: \(error)\n", stderr)
    exit(1)
}
