import Posix
import Site

/// Runs commands of the machine that a server is installed on: without a shell, with an environment that the caller's does not change.
struct HostCommands: Sendable {
    private let loop: Loop
    private let variables: [String: String]

    /// - Parameter environment: of which only the proxies are passed on.
    init(loop: Loop, environment: [String: String]) {
        self.loop = loop
        let proxies = environment.filter { ["https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"].contains($0.key) }
        variables = proxies.merging(
            [
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive",
            ]) { $1 }
    }

    /// Bytes of what a command says that are kept: apt says much.
    private static let limit = 1 << 20

    func run(_ words: [String]) async throws -> HostMachine.Answer {
        let output = try MemoryFile("output")
        let errors = try MemoryFile("errors")
        let child = try ChildProcess.start(
            "/usr/bin/env", words, environment: variables, directory: "/", output: .descriptor(output.raw), error: .descriptor(errors.raw))
        let status = await child.exit(on: loop)
        let text = String(decoding: try output.read(upTo: Self.limit), as: UTF8.self)
        let said = String(decoding: try errors.read(upTo: Self.limit), as: UTF8.self)
        return HostMachine.Answer(isSuccess: status.isSuccess, text: text, said: text + said)
    }
}
