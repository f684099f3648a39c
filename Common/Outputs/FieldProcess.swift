import FoundationEssentials
import Glibc
import Posix
import Wire

/// The process that takes one stream into a room: it decodes a board's sound and speaks WebRTC, where no stream's key and no other output's secret
/// is, and what breaks in it ends with it.
final class FieldProcess: Sendable {
    /// For one reader; ends when the process does.
    let words: AsyncStream<FieldWord>
    private let process: ChildProcess

    private init(_ process: ChildProcess, _ words: AsyncStream<FieldWord>) {
        self.process = process
        self.words = words
    }

    /// - Returns: with the end that takes the transport stream, which is the caller's to close.
    /// - Throws: `SystemError`.
    static func start(
        _ target: RoomTarget, by entrance: RoomEntrance, on loop: Loop
    ) throws -> (process: FieldProcess, media: CInt) {
        let order = Array(try JSONEncoder().encode(target)) + [UInt8(ascii: "\n")]
        let media = try UnixSocket.pair()
        // The child has copies of its own.
        defer { close(media.far) }
        do {
            // Less than a socket's buffer holds: it does not wait.
            let count = order.withUnsafeBytes { send(media.near, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count == order.count else { throw SystemError("send") }
            let said = try UnixSocket.pair()
            defer { close(said.far) }
            do {
                guard fcntl(said.near, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
                let process = try ChildProcess.start(
                    entrance.program, entrance.arguments, input: .descriptor(media.far), output: .descriptor(said.far))
                let (words, continuation) = AsyncStream.makeStream(of: FieldWord.self, bufferingPolicy: .bufferingOldest(64))
                let reader = WordReader(said.near) { word in
                    if let word { continuation.yield(word) } else { continuation.finish() }
                }
                loop.submit { reader.begin(on: loop) }
                // Waited for, so that nothing of it is left.
                loop.spawn { _ = await process.exit(on: loop) }
                return (FieldProcess(process, words), media.near)
            } catch {
                close(said.near)
                throw error
            }
        } catch {
            close(media.near)
            throw error
        }
    }

    /// Has it leave the room, and end: `words` ends then.
    func leave() { process.signal(SIGTERM) }

    func kill() { process.signal(SIGKILL) }
}

/// Takes what the process says apart.
private final class WordReader: @unchecked Sendable {
    // Sendable: only the loop's thread touches its state.
    private let raw: CInt
    private let give: @Sendable (FieldWord?) -> Void
    private var watch: Watch?
    private var line: [UInt8] = []

    private static let readsPerTurn = 8

    /// - Parameters:
    ///   - raw: closed at its end.
    ///   - give: nil at the end.
    init(_ raw: CInt, give: @escaping @Sendable (FieldWord?) -> Void) {
        self.raw = raw
        self.give = give
    }

    func begin(on loop: Loop) {
        do {
            watch = try loop.watch(raw, .read) { [self] _ in read() }
        } catch {
            finish()
        }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 1024)
        for _ in 0..<Self.readsPerTurn {
            let count = Glibc.read(raw, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { return finish() }
            for byte in chunk[..<count] { take(byte) }
        }
    }

    private func take(_ byte: UInt8) {
        guard byte == UInt8(ascii: "\n") else {
            // What is longer is cut.
            if line.count < FieldWord.bytes { line.append(byte) }
            return
        }
        if let word = FieldWord(String(decoding: line, as: UTF8.self)) { give(word) }
        line.removeAll(keepingCapacity: true)
    }

    private func finish() {
        watch?.cancel()
        watch = nil
        close(raw)
        give(nil)
    }
}
