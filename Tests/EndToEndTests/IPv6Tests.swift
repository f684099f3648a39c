import Lab
import Support
import Testing
import Units
import Wire

/// A board whose links have IPv6 and nothing else.
@Suite(.serialized, .unlessStolen) struct IPv6Tests {
    @Test("over links with IPv6 only a board enrolls, is controlled, and sends over all of them to a host with such an address")
    func only() async throws {
        try await inStudio(family: .ipv6) { studio in
            let sender = try await studio.sender()
            let addresses = sender.inventory.links.flatMap(\.addresses)
            measured("the board's addresses", "\(addresses)")
            #expect(addresses.count == 3 && addresses.allSatisfy { $0.hasPrefix("fd53:7472:") })
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let view = try await eventually(within: .seconds(10), "the receiver hears three paths, and media over one at least") {
                try studio.owner.broadcast(id).flatMap { view in
                    // A stream that one link carries is sent over that one; the others are kept known.
                    let paths = view.ingest?.paths.filter { $0.rttMs != nil } ?? []
                    return paths.count == 3 && paths.contains { $0.bitrate > .kilobits(100) } ? view : nil
                }
            }
            let sources = view.ingest?.paths.map(\.source) ?? []
            measured("it comes from", "\(sources)")
            #expect((0...2).allSatisfy { link in sources.contains { $0.hasPrefix("[\(studio.network.fieldAddress(link))]:") } })
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            let file = try #require(studio.nginx.recordings("show").last)
            for delivery in try studio.deliveries(file) { #expect(delivery.isComplete, "\(delivery)") }
            try await studio.stop(id)
            try await studio.expectNothingLeft(sender.id)
        }
    }
}
