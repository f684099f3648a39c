import Glibc
import Posix
import Service

/// A process that makes something of one picture and may do nothing else: it has an input, an output, and an end.
struct PictureProcess: Sendable {
    let status: ExitStatus
    /// Empty where it failed.
    let output: [UInt8]
    /// Processor time of the process.
    let cost: Duration

    /// Starts it, and returns at its end, which comes at once where the task is cancelled.
    ///
    /// - Parameters:
    ///   - size: of its output, at most; one byte more is returned where there is more.
    ///   - limit: in time, not in processor time, of which it has its own: a busy host may hold it up. Then it is killed.
    /// - Throws: `SystemError` where it cannot be started or read.
    static func run(
        _ program: String, _ arguments: [String], input: [UInt8], output size: Int, within limit: Duration, on loop: Loop
    ) async throws -> PictureProcess {
        let input = try MemoryFile("picture", holding: input)
        let output = try MemoryFile("made")
        let environment = surroundings(of: ProgramContext.environment)
        let process = try ChildProcess.start(
            program, arguments, environment: environment, directory: "/", input: .descriptor(input.raw), output: .descriptor(output.raw),
            error: .null)
        let killer = Task {
            try await loop.sleep(for: limit)
            process.signal(SIGKILL)
        }
        let status = await withTaskCancellationHandler {
            await process.exit(on: loop)
        } onCancel: {
            process.signal(SIGKILL)
        }
        killer.cancel()
        return PictureProcess(
            status: status, output: status.isSuccess ? try output.read(upTo: size + 1) : [], cost: process.processorTime ?? .zero)
    }

    /// Of our surroundings nothing but where libraries lie, and the marks by which `ci/up` and the tests find what is left of theirs: it
    /// must not know what it could tell.
    static func surroundings(of own: [String: String]) -> [String: String] {
        own.filter { ["LD_LIBRARY_PATH", "UP_MARK", "STRATA_TEST_MARK"].contains($0.key) }
    }
}
