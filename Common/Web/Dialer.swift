import Glibc
import Posix

/// Connects to one of several addresses: the first at once, the next ones as soon as one fails or 250 ms later, all
/// together against one deadline (after RFC 8305 section 5). Loop thread only.
final class Dialer: @unchecked Sendable {
    // Sendable: state is touched on the loop only.
    private let loop: Loop
    private let device: String?
    private var addresses: [SocketAddress]
    private var attempts: [Attempt] = []
    private var reasons: [String] = []
    private var continuation: CheckedContinuation<(CInt, SocketAddress), any Error>?
    private var next: LoopTimer?
    private var limit: LoopTimer?
    private var isDone = false

    private struct Attempt {
        let socket: CInt
        let address: SocketAddress
        let watch: Watch
    }

    private static let stagger = Duration.milliseconds(250)

    init(loop: Loop, addresses: [SocketAddress], device: String?) {
        self.loop = loop
        self.addresses = Dialer.interleaved(addresses)
        self.device = device
    }

    /// Families in turn, each in its own order (RFC 8305 section 4).
    private static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        let same = addresses.filter { $0.family == first.family }
        let other = addresses.filter { $0.family != first.family }
        var result: [SocketAddress] = []
        for index in 0..<max(same.count, other.count) {
            if index < same.count { result.append(same[index]) }
            if index < other.count { result.append(other[index]) }
        }
        return result
    }

    /// The connected socket, which is the caller's. Throws `ClientError`, or `CancellationError`.
    func connect(within timeout: Duration) async throws -> (CInt, SocketAddress) {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.run { self.start(timeout, continuation) }
            }
        } onCancel: {
            loop.submit { self.finish(.failure(CancellationError())) }
        }
    }

    private func start(_ timeout: Duration, _ continuation: CheckedContinuation<(CInt, SocketAddress), any Error>) {
        if isDone { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        limit = loop.timer(after: timeout) { [self] in
            let waiting = attempts.map { "\($0.address): no answer" }
            finish(.failure(ClientError.timedOut("connecting; " + (reasons + waiting).joined(separator: "; "))))
        }
        tryNext()
    }

    private func tryNext() {
        next?.cancel()
        next = nil
        while !isDone, !addresses.isEmpty {
            let address = addresses.removeFirst()
            do {
                let socket = try StreamSocket.connect(to: address, device: device).release()
                let watch = try loop.watch(socket, .write) { [self] _ in decided(socket) }
                attempts.append(Attempt(socket: socket, address: address, watch: watch))
                if !addresses.isEmpty { next = loop.timer(after: Dialer.stagger) { [self] in tryNext() } }
                return
            } catch { reasons.append("\(error)") }
        }
        if attempts.isEmpty {
            let text = reasons.isEmpty ? "no address" : reasons.joined(separator: "; ")
            finish(.failure(ClientError.unreachable(text)))
        }
    }

    private func decided(_ socket: CInt) {
        guard let index = attempts.firstIndex(where: { $0.socket == socket }) else { return }
        let attempt = attempts.remove(at: index)
        attempt.watch.cancel()
        if let error = StreamSocket.connectResult(socket, on: "\(attempt.address)") {
            close(socket)
            reasons.append("\(error)")
            return tryNext()
        }
        finish(.success((socket, attempt.address)))
    }

    private func finish(_ result: Result<(CInt, SocketAddress), any Error>) {
        guard !isDone else { return }
        isDone = true
        next?.cancel()
        limit?.cancel()
        for attempt in attempts {
            attempt.watch.cancel()
            close(attempt.socket)
        }
        attempts = []
        continuation?.resume(with: result)
        continuation = nil
    }
}
