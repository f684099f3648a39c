import Glibc
import Posix
import Web
import Wire

/// One live preview on its way from its receiver to control, until either end goes. What control does not take in time is lost up to the next
/// key (`PreviewGate`): the receiver is never held up, nor what the pool itself says to control.
final class PreviewUplink: @unchecked Sendable {
    // Sendable by the loop's thread: all state is touched only there.

    private let loop: Loop
    private let control: WebSocket
    private var receiver: Descriptor?
    private var watch: Watch?
    private var framer = PreviewFramer()
    private var gate = PreviewGate()

    /// Reads of one turn: others have the loop as well.
    private static let readsPerTurn = 8
    private static let readBytes = 64 << 10

    /// - Parameters:
    ///   - receiver: a socket of the receiver's preview.
    ///   - control: proven, on `loop`.
    init(from receiver: consuming Descriptor, to control: WebSocket, on loop: Loop) {
        self.loop = loop
        self.control = control
        self.receiver = consume receiver
    }

    /// Passes on until it is over.
    func run() async {
        loop.submit { self.begin() }
        // try?: a connection that breaks has ended. What control says here is not read.
        while let message = try? await control.receive() { _ = message }
        end("control has left")
    }

    /// From any thread.
    func end(_ reason: String) {
        loop.submit { self.finish(reason) }
    }

    private func begin() {
        guard let raw = receiver?.raw else { return }
        do {
            watch = try loop.watch(raw, .read) { [self] _ in read() }
        } catch {
            finish("\(error)")
        }
    }

    private func read() {
        var bytes = [UInt8](repeating: 0, count: Self.readBytes)
        for _ in 0..<Self.readsPerTurn {
            guard let raw = receiver?.raw else { return }
            let count = Glibc.read(raw, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { return finish("the receiver has ended it") }
            do {
                try framer.feed(bytes[..<count]) { chunk in gate.take(chunk) { control.trySend($0.bytes) } }
            } catch {
                return finish("the receiver gives no preview")
            }
        }
    }

    private func finish(_ reason: String) {
        guard receiver != nil else { return }
        watch?.cancel()
        watch = nil
        receiver = nil
        let control = control
        Task { await control.close(.goingAway, reason, within: .seconds(1)) }
    }
}
