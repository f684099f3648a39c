import Glibc
import Posix
import Testing

@testable import Links
@testable import Netlink

@Suite("Changes of routes that the kernel refuses") struct RouteRefusalsTests {
    private let route = RouteEntry(family: .ipv6, table: OwnRoutes.firstTable + 4, index: 4, maker: OwnRoutes.maker)
    private let rule = RoutingRule(
        family: .ipv6, outgoing: "wwan0", table: OwnRoutes.firstTable + 4, priority: OwnRoutes.priority, maker: OwnRoutes.maker)
    private var all: [RouteChange] { [.route(route), .rule(rule), .noRule(rule), .noRoute(route)] }

    /// A kernel that refuses some, and what it was asked for.
    private final class Kernel {
        var codes: [RouteChange: CInt] = [:]
        private(set) var asked: [RouteChange] = []

        func carryOut(_ change: RouteChange) throws {
            asked.append(change)
            if let code = codes[change] { throw SystemError("RTM", code) }
        }
    }

    @Test("whichever change is refused, all others are made, and it is said once until it has worked")
    func each() {
        for refused in all {
            let kernel = Kernel()
            kernel.codes = [refused: EINVAL]
            var refusals = RouteRefusals()
            #expect(refusals.carryOut(all, by: kernel.carryOut).map(\.change) == [refused])
            #expect(kernel.asked == all && refusals.isAllowed)
            #expect(refusals.carryOut(all, by: kernel.carryOut) == [])
            kernel.codes = [:]
            #expect(refusals.carryOut(all, by: kernel.carryOut) == [])
            kernel.codes = [refused: EINVAL]
            #expect(refusals.carryOut(all, by: kernel.carryOut).count == 1)
        }
    }

    @Test("what came or went meanwhile is not refused: IPv6 switched off on a device neither")
    func overtaken() {
        for (change, code) in [
            (all[0], EACCES), (all[0], ENODEV), (all[0], ENETDOWN), (all[1], EEXIST), (all[2], ENOENT), (all[3], ESRCH), (all[3], ENODEV),
        ] {
            let kernel = Kernel()
            kernel.codes = [change: code]
            var refusals = RouteRefusals()
            #expect(refusals.carryOut(all, by: kernel.carryOut).isEmpty && kernel.asked == all && refusals.isAllowed)
        }
    }

    @Test("only EPERM before anything worked means that it is not allowed, and removals are tried after it all the same")
    func allowed() {
        let kernel = Kernel()
        kernel.codes = Dictionary(uniqueKeysWithValues: all.map { ($0, EPERM) })
        var refusals = RouteRefusals()
        #expect(refusals.carryOut(all, by: kernel.carryOut).isEmpty && !refusals.isAllowed && kernel.asked.count == 1)
        kernel.codes = [:]
        #expect(refusals.carryOut([.noRoute(route)], by: kernel.carryOut).isEmpty && kernel.asked.count == 2)

        var later = RouteRefusals()
        kernel.codes = [.rule(rule): EPERM, .noRule(rule): EACCES]
        #expect(later.carryOut(all, by: kernel.carryOut).map(\.change) == [.rule(rule), .noRule(rule)] && later.isAllowed)
    }
}
