import Commands
import Glibc
import Units

let arguments = Array(CommandLine.arguments.dropFirst())
var environment: [String: String] = [:]
for name in ["HOME", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "STRATA_API_TOKEN"] {
    if let value = getenv(name) { environment[name] = String(cString: value) }
}

do {
    try await Console(print: { line in print(line) }).run(arguments, environment: environment)
} catch {
    // The server's words may hold what others called things.
    let line = Array("strata-provision: \("\(error)".escaped(but: ["\n"]))\n".utf8)
    // Nothing can be told where standard error is closed.
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
}
