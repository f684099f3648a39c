import FoundationEssentials
import Glibc
import Posix
import Units
import Wire

/// Tries a target for control, in a process of the receiver's program that knows nothing else and is gone afterwards: the libraries that connect live
/// there and not in the pool, and what one of them breaks ends with it.
struct TargetTrial: Sendable {
    let settings: PoolSettings
    let loop: Loop

    /// Longer than the process takes by itself, and less than control waits.
    private static let limit = Duration.milliseconds(9200)
    private static let answerLimit = 16 << 10

    /// - Returns: never with a secret in it: the process hides them.
    func run(_ order: OutputTestOrder) async -> OutputTestVerdict {
        do {
            return try await ask(order)
        } catch {
            return OutputTestVerdict(failed: order.target.testSteps.first, reason: "this host could not try it: \(error)")
        }
    }

    private struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private func ask(_ order: OutputTestOrder) async throws -> OutputTestVerdict {
        // The secret goes in as a file without a name: command lines can be read by others.
        let input = try MemoryFile("order", holding: Array(try JSONEncoder().encode(order)))
        let output = try MemoryFile("verdict")
        let arguments =
            ["test-destination"] + settings.outbound.flatMap { ["--allow", $0] }
            + ["--stream-ports", "\(settings.ports.first)-\(settings.ports.last)"]
        let process = try ChildProcess.start(
            settings.receiver, arguments, input: .descriptor(input.raw), output: .descriptor(output.raw), error: .null)
        let killer = Task {
            try await loop.sleep(for: Self.limit)
            process.signal(SIGKILL)
        }
        let status = await process.exit(on: loop)
        killer.cancel()
        if status == .signalled(SIGKILL) { throw Fault(description: "it took longer than \(Self.limit.milliseconds / 1000) s") }
        guard status.isSuccess else { throw Fault(description: "its process ended with \(status)") }
        return try JSONDecoder().decode(OutputTestVerdict.self, from: Data(try output.read(upTo: Self.answerLimit)))
    }
}
