import Glibc
import Posix

/// What comes over standard input: a line, and behind it media. Loop thread only.
final class FieldInput {
    private let give: ([UInt8]) -> Void
    private let end: (String) -> Void
    private var watch: Watch?

    private static let readsPerTurn = 8

    /// - Parameters:
    ///   - give: in order.
    ///   - end: once, where there is nothing more, with why.
    init(on loop: Loop, give: @escaping ([UInt8]) -> Void, end: @escaping (String) -> Void) {
        self.give = give
        self.end = end
        guard fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) == 0 else {
            end("\(SystemError("fcntl"))")
            return
        }
        do {
            watch = try loop.watch(STDIN_FILENO, .read) { [weak self] _ in self?.read() }
        } catch {
            end("\(error)")
        }
    }

    func close() {
        watch?.cancel()
        watch = nil
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        for _ in 0..<Self.readsPerTurn where watch != nil {
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                close()
                return end(count == 0 ? "its receiver has ended" : "\(SystemError("read"))")
            }
            give(Array(chunk[..<count]))
        }
    }
}
