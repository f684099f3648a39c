import CLab
import Foundation
import Posix

/// What one end-to-end test has started and written: a folder and programs. `clear` ends all of it, also what those
/// programs have started and left behind, and nothing else. If the test's process dies, its programs are killed with it.
package final class Stage: Sendable {
    package let folder: TemporaryFolder
    /// In the environment of all that descends from here.
    private let mark = UUID().uuidString
    private let programs = Guarded<[RunningProgram]>([])

    package init() throws { folder = try TemporaryFolder() }

    /// Starts a program of ours by its product's name, or another by its command's.
    /// - Parameters:
    ///   - inside: what comes before the command, as a namespace's `command([])`.
    ///   - stdout: a file for its output; nil: to the lines, like stderr.
    @discardableResult
    package func start(
        _ command: String, _ arguments: [String] = [], inside: [String] = [], environment: [String: String] = [:], stdout: String? = nil
    ) throws -> RunningProgram {
        let program = command.hasPrefix("strata-") ? try Places.program(command) : command
        var variables = ProcessInfo.processInfo.environment
        variables.merge(environment) { $1 }
        variables["STRATA_TEST_MARK"] = mark
        // Ours are told by files and by what a test sets, not by what lies around in the caller's environment.
        for name in variables.keys where name.hasPrefix("STRATA_") && name != "STRATA_TEST_MARK" && environment[name] == nil {
            variables[name] = nil
        }
        let line = ["setpriv", "--pdeathsig", "KILL", "--"] + inside + [program] + arguments
        let started = try Spawner.shared.spawn(line, variables, stdout: stdout, directory: folder.path)
        let running = RunningProgram(name: command, pid: started.pid, output: started.output)
        programs.withLock { $0.append(running) }
        return running
    }

    /// Every process that descends from this stage and still runs.
    package var survivors: [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { pid in
            // A process that has ended meanwhile has no environment any more.
            guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
            return environment.range(of: Data("STRATA_TEST_MARK=\(mark)".utf8)) != nil
        }
    }

    /// Ends everything, bounded: SIGTERM in the reverse order of the starts, SIGKILL for what does not go.
    package func clear() async {
        for program in programs.withLock({ $0.reversed() }) where program.isRunning {
            _ = try? await program.stop(within: .seconds(5))  // Killed then; a test that cares stops it itself.
        }
        killSurvivors()
    }

    private func killSurvivors() {
        for pid in survivors { kill(pid, SIGKILL) }
    }

    deinit { killSurvivors() }

    /// What all programs said last, for a failure's text.
    package var report: String {
        programs.withLock { $0 }.map { "\($0.name) (\($0.pid), \($0.ending.map { "ended with \($0)" } ?? "running")):\n\($0.tail)" }
            .joined(separator: "\n")
    }
}

/// Runs a body on a new stage, clears it whatever happens, and adds what the programs said to what it throws.
package func onStage<Result>(_ body: (Stage) async throws -> Result) async throws -> Result {
    let stage = try Stage()
    do {
        let result = try await body(stage)
        await stage.clear()
        return result
    } catch {
        print("\(error)\n\(stage.report)")
        await stage.clear()
        throw error
    }
}

/// Starts processes from one thread that never ends: the kernel's PDEATHSIG goes by the parent's thread, and the threads
/// that run tests come and go.
private final class Spawner: @unchecked Sendable {
    // Sendable: `orders` is touched only with `condition` held.
    static let shared = Spawner()
    private let condition = NSCondition()
    private var orders: [() -> Void] = []

    struct Started {
        let pid: pid_t
        /// The end of a pipe on which it says stderr, and stdout where that has no file.
        let output: CInt
    }

    private init() {
        let thread = Thread { [unowned self] in
            while true {
                condition.lock()
                while orders.isEmpty { condition.wait() }
                let order = orders.removeFirst()
                condition.unlock()
                order()
            }
        }
        thread.start()
    }

    func spawn(_ line: [String], _ environment: [String: String], stdout: String?, directory: String) throws -> Started {
        let done = NSCondition()
        nonisolated(unsafe) var outcome: Result<Started, any Error>?  // Guarded by `done`.
        condition.lock()
        orders.append {
            let result = Result { try Self.start(line, environment, stdout: stdout, directory: directory) }
            done.lock()
            outcome = result
            done.signal()
            done.unlock()
        }
        condition.signal()
        condition.unlock()
        done.lock()
        defer { done.unlock() }
        while true {
            if let outcome { return try outcome.get() }
            done.wait()
        }
    }

    private static func start(_ line: [String], _ environment: [String: String], stdout: String?, directory: String) throws -> Started {
        var pipeEnds: [CInt] = [0, 0]
        guard pipe(&pipeEnds) == 0 else { throw SystemError("pipe") }
        for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(pipeEnds[1]) }
        var out = pipeEnds[1]
        if let stdout {
            out = open(stdout, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            guard out >= 0 else { throw SystemError("open", on: stdout) }
        }
        defer { if stdout != nil { close(out) } }
        let arguments = line.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let code = clab_spawn(&pid, line[0], arguments, variables, -1, out, pipeEnds[1], directory)
        guard code == 0 else {
            close(pipeEnds[0])
            throw SystemError("posix_spawn", code, on: line.joined(separator: " "))
        }
        return Started(pid: pid, output: pipeEnds[0])
    }
}
