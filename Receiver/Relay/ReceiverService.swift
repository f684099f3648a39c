import FoundationEssentials
package import Logging
package import Outputs
package import Posix
import Service
import Wire

/// The receiver as its parent sees it: orders and answers over a Unix socket, a JSON line each.
package final class ReceiverService: Sendable {
    private let socket: ChildSocket
    private let relay: StreamRelay
    /// nil where it cannot be had: a stream goes on without.
    private let preview: PreviewSocket?
    private let log: Log

    /// Listens at `path`. Throws where that is taken or its folder is open to others.
    ///
    /// - Parameters:
    ///   - folder: for files of outputs; nil where the host has none.
    ///   - takes: for recordings of streams; nil where the host has none.
    ///   - policy: what the host lets outputs do.
    ///   - still: path of `strata-still`, which makes thumbnails; nil for none.
    ///   - slate: path of `strata-slate`, which makes what is shown while the sender is silent.
    package init(
        path: String, folder: RecordingFolder?, takes: String? = nil, policy: OutputPolicy, still: String?, slate: String, loop: Loop,
        log: Log
    ) throws {
        let socket = try ChildSocket(path: path, loop: loop, orphanAfter: .seconds(120), log: log.part("parent"))
        self.socket = socket
        self.log = log
        let mediaLoop = try Loop(name: "media")
        let relay = StreamRelay(
            folder: folder, takes: takes, policy: policy, still: still, slate: slate, host: UnixSocket.folder(of: path), loop: loop,
            mediaLoop: mediaLoop, log: log
        ) { message in ReceiverService.send(message, socket, log) }
        self.relay = relay
        preview = ReceiverService.preview(of: relay, beside: path, loop, log)
    }

    private static func preview(of relay: StreamRelay, beside path: String, _ loop: Loop, _ log: Log) -> PreviewSocket? {
        do {
            return try PreviewSocket(path: ChildSocket.previewPath(beside: path), loop: loop, log: log.part("preview")) { watched in
                if let watched { relay.preview { watched.offer($0) } } else { relay.preview(nil) }
            }
        } catch {
            log.warning("there is no preview of this stream", ["error": "\(error)"])
            return nil
        }
    }

    /// Serves parents, one after the other, until a stop or until nobody came for 120 s.
    package func run() async {
        for await event in socket.events {
            switch event {
            case .line(let line): await handle(line)
            case .orphaned: await relay.end("no parent for 120 s")
            case .connected, .disconnected: break
            }
            if await relay.hasEnded { break }
        }
        preview?.close()
        socket.close()
    }

    /// Ends from outside the conversation: by a signal.
    package func end() async {
        await relay.end("terminated")
        preview?.close()
        socket.close()
    }

    private func handle(_ line: [UInt8]) async {
        do {
            await relay.handle(try JSONDecoder().decode(Command<ReceiverOrder>.self, from: Data(line)))
        } catch {
            log.warning("a line of the parent is not an order", ["bytes": .integer(line.count), "error": "\(error)"])
        }
    }

    private static func send(_ message: ReceiverMessage, _ socket: ChildSocket, _ log: Log) {
        do {
            let line = [UInt8](try JSONEncoder().encode(message))
            switch message {
            case .report, .thumbnail: socket.send(line, droppable: true)
            case .listening, .described, .outcome, .ended, .unknown: socket.send(line)
            }
        } catch {
            log.error("a message cannot be encoded", ["type": .text(message.type), "error": "\(error)"])
        }
    }
}
