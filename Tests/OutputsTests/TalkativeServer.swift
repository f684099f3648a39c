import Foundation
import Posix
import Support

/// Greets as RTMP does, and then begins messages of 16 MiB without ever ending one.
final class TalkativeServer: Sendable {
    let port: Int
    private let listener: Descriptor
    private let said = Guarded(0)

    init() throws {
        listener = try StreamSocket.listen(on: .loopback(port: 0))
        guard let address = StreamSocket.localAddress(listener.raw) else { throw SystemError("getsockname") }
        port = address.port
        // Its threads wait in calls: until the listener is shut down.
        guard fcntl(listener.raw, F_SETFL, 0) == 0 else { throw SystemError("fcntl") }
        Thread.detachNewThread { [self] in
            while case let client = accept(listener.raw, nil, nil), client >= 0 {
                Thread.detachNewThread { self.talk(Descriptor(adopting: client)) }
            }
        }
    }

    var saidBytes: Int { said.withLock { $0 } }

    func stop() { shutdown(listener.raw, CInt(SHUT_RDWR)) }

    private func talk(_ client: consuming Descriptor) {
        guard let hello = read(1537, from: client.raw) else { return }
        // S0, S1, and S2, which echoes C1.
        guard say([3] + [UInt8](repeating: 0, count: 1536) + hello.dropFirst(), to: client.raw), read(1536, from: client.raw) != nil else {
            return
        }
        for stream in 0..<65536 {
            // Type 0 with a chunk stream id of 3 bytes; time 0, length 0xffffff, type 20 (command), message stream 0; the first chunk.
            let header: [UInt8] = [1, UInt8(stream & 255), UInt8(stream >> 8), 0, 0, 0, 255, 255, 255, 20, 0, 0, 0, 0]
            guard say(header + [UInt8](repeating: 0, count: 128), to: client.raw) else { return }
            // As fast as 10 Mbit/s.
            if stream % 64 == 63 { usleep(7000) }
        }
    }

    private func say(_ bytes: [UInt8], to socket: CInt) -> Bool {
        guard send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { return false }
        said.withLock { $0 += bytes.count }
        return true
    }

    private func read(_ count: Int, from socket: CInt) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(socket, &bytes, count, CInt(MSG_WAITALL)) == count ? bytes : nil
    }
}
