package import Identity
import Glibc
package import Logging
package import Posix
import Units
package import Web
import Wire

/// The live previews that control has asked this host for, one of each lease: it dials control again for each, so that pictures wait for
/// nothing else and nothing for them.
package actor Previews {
    private let dial: TicketDial
    private let url: String
    private let loop: Loop
    private let log: Log
    private var uplinks: [LeaseID: PreviewUplink] = [:]
    /// Each goes on until its uplink is over.
    private var following: [LeaseID: Task<Void, Never>] = [:]
    private var isStopped = false

    /// At once; control has a smaller bound for all hosts together.
    private static let limit = 64

    package init(identity: DeviceIdentity, loop: Loop, proxy: ClientOptions.Proxy?, log: Log) {
        dial = TicketDial(identity: identity, loop: loop, proxy: proxy)
        url = identity.server.previewURL
        self.loop = loop
        self.log = log.part("preview")
    }

    /// Begins one, in place of one that runs.
    ///
    /// - Parameter path: the receiver's preview socket.
    /// - Returns: why there is none; nil where it goes on by itself.
    func begin(_ order: PreviewOrder, from path: String) async -> String? {
        uplinks[order.lease]?.end("another one begins")
        guard uplinks.count < Self.limit, !isStopped else { return "this host makes as many previews as it may" }
        do {
            let control = try await dial.open(url, highMark: WireLimits.previewMark, hello: PreviewHello(ticket: order.ticket))
            do {
                let uplink = PreviewUplink(from: try Self.receiver(at: path), to: control, on: loop)
                // Another may have come while this one was dialled.
                uplinks[order.lease]?.end("another one begins")
                uplinks[order.lease] = uplink
                following[order.lease] = loop.spawn { [weak self] in await self?.follow(uplink, of: order.lease) }
                return nil
            } catch {
                await control.close(.goingAway, "there is no preview", within: .seconds(1))
                throw error
            }
        } catch {
            log.info("no preview", ["lease": .text(order.lease.text), "error": "\(error)"])
            return "\(error)"
        }
    }

    /// Ends all of them.
    func stop() {
        isStopped = true
        for uplink in uplinks.values { uplink.end("the pool ends") }
    }

    private func follow(_ uplink: PreviewUplink, of lease: LeaseID) async {
        log.info("a preview begins", ["lease": .text(lease.text)])
        await uplink.run()
        if uplinks[lease] === uplink { (uplinks[lease], following[lease]) = (nil, nil) }
        log.info("a preview ended", ["lease": .text(lease.text)])
    }

    private static func receiver(at path: String) throws -> Descriptor {
        do throws(SystemError) {
            return try UnixSocket.connect(to: path)
        } catch {
            guard error.code == ENOENT else { throw error }
            throw TicketDial.Fault(description: "the receiver is of a version that makes no preview")
        }
    }
}
