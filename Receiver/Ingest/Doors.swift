import Logging
import Posix

/// The public sockets of an ingest, which tell the address that each datagram was sent to.
///
/// - Throws: `IngestFailure` where none can be opened.
func openDoors(_ settings: IngestSettings, log: Log) throws -> [UDPSocket] {
    var doors: [UDPSocket] = []
    var firstFailure: SystemError?
    var port = settings.port
    for text in settings.bind {
        guard let address = SocketAddress(text, port: port) else { throw IngestFailure.address(text) }
        do {
            let door = try UDPSocket(binding: address, buffers: 4 << 20)
            try door.wantDestinations()
            port = door.localAddress.port
            doors.append(door)
        } catch let error as SystemError {
            log.warning("a media address cannot be bound", ["address": "\(address)", "error": "\(error)"])
            firstFailure = firstFailure ?? error
        }
    }
    if doors.isEmpty { throw IngestFailure.bind(firstFailure ?? SystemError("bind", 22, on: "no address")) }
    return doors
}
