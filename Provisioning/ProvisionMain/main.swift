import Commands
import Glibc
import Units

let arguments = Array(CommandLine.arguments.dropFirst())
var environment: [String: String] = [:]
for name in ["HOME", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "STRATA_API_TOKEN"] {
    if let value = getenv(name) { environment[name] = String(cString: value) }
}

/// A line on standard error, where a person reads what is no answer.
@Sendable func tell(_ line: String, _ end: String = "\n") {
    let bytes = Array((line.escaped() + end).utf8)
    // Nothing can be told where standard error is closed.
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

/// A question to whoever sits at the terminal.
@Sendable func ask(_ question: String) -> String? {
    tell(question, "")
    return readLine()
}

do {
    let isTerminal = isatty(STDIN_FILENO) == 1
    let console = Console(print: { line in print(line) }, tell: { tell($0) }, ask: isTerminal ? ask : nil)
    try await console.run(arguments, environment: environment)
} catch {
    // The server's words may hold what others called things.
    let line = Array("strata-provision: \("\(error)".escaped(but: ["\n"]))\n".utf8)
    // Nothing can be told where standard error is closed.
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
}
