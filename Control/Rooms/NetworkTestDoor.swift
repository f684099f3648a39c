import FoundationEssentials
package import Logging
import Posix
import Units
package import Web
import Wire

/// Where a page tries what the network around it lets through, whoever opens it: it is told the STUN and TURN servers, and makes one
/// connection to a worker of rooms that is like those of a meeting. All of it ends with the socket.
///
/// A stranger gets no more by it than he could have from any meeting: credentials for two minutes, by which TURN relays to the workers alone,
/// and one peer for half a minute in a room that nobody else is in.
package struct NetworkTestDoor: Sendable {
    private let desk: RoomDesk
    private let log: Log
    private let running = Guarded(0)

    /// Four ways are tried, and the slowest takes ten seconds to be given up.
    private static let seconds = 30
    private static let credentialSeconds: Int64 = 120
    /// Each is a handshake of DTLS, which a worker has some hundred of in a second.
    private static let most = 50

    package init(desk: RoomDesk, log: Log) {
        self.desk = desk
        self.log = log.part("rooms")
    }

    package static var webSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = WireLimits.roomMessageBytes
        return options
    }

    /// Serves one socket until it ends.
    ///
    /// - Parameter place: where it comes from: TURN counts by that what it is asked for with these credentials.
    package func serve(_ socket: WebSocket, from place: String) async {
        guard enter() else { return await socket.close(.tryAgainLater, "too many try it at the moment") }
        let peer = PeerID.fresh()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await answer(socket, from: place, as: peer) }
            group.addTask {
                // try?: cancelled, the socket is over.
                try? await Task.sleep(for: .seconds(Self.seconds))
            }
            await group.next()
            group.cancelAll()
        }
        await desk.discard(peer)
        running.withLock { $0 -= 1 }
        await socket.close()
    }

    private func enter() -> Bool {
        running.withLock { running in
            guard running < Self.most else { return false }
            running += 1
            return true
        }
    }

    /// Until the page has gone, or has said something that is none of this.
    private func answer(_ socket: WebSocket, from place: String, as peer: PeerID) async {
        let servers = desk.servers.list(for: "test-\(place)", at: unixMilliseconds() / 1000, seconds: Self.credentialSeconds)
        let ways = NetworkTestWays(hasRooms: desk.hasWorkers, iceServers: servers, seconds: Self.seconds)
        guard await send(.ways(ways), to: socket) else { return }
        var isAnswered = false
        // try?: a connection that broke is over.
        while case .text(let text)? = try? await socket.receive() {
            guard !isAnswered else { return await socket.close(.policyViolation, "one offer is answered") }
            // try?: what is no offer ends it, whatever it is.
            guard let offer = try? JSONDecoder().decode(NetworkTestOffer.self, from: Data(text.utf8)) else {
                return await socket.close(.unsupportedData, "malformed message")
            }
            isAnswered = true
            guard await send(await self.answer(offer.offer, as: peer), to: socket) else { return }
        }
    }

    private func answer(_ offer: String, as peer: PeerID) async -> NetworkTestMessage {
        do throws(RoomDesk.Refusal) {
            return .answer(NetworkTestAnswer(answer: try await desk.publish(offer, as: peer, in: .fresh()).answer))
        } catch {
            log.info("a page that tries its network is not answered", ["reason": "\(error)"])
            return .refused(NetworkTestRefused(text: Self.text(error)))
        }
    }

    private static func text(_ refusal: RoomDesk.Refusal) -> String {
        switch refusal {
        case .none: "this server has no rooms"
        case .away(let reason), .refused(let reason), .unanswerable(let reason): reason.bounded()
        case .missing, .outdated, .full, .empty: "this server has no place for it at the moment"
        }
    }

    /// - Returns: false where nobody is left to read it.
    private func send(_ message: NetworkTestMessage, to socket: WebSocket) async -> Bool {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // try?: nothing of it is a number that JSON has not.
        guard let data = try? encoder.encode(message) else {
            preconditionFailure("our wire types encode: their fields are texts, integers and flags")
        }
        // try?: that it broke is told by the answer.
        return (try? await socket.send(String(decoding: data, as: UTF8.self))) != nil
    }
}
