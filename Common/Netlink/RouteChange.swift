import CNetlink
import Glibc
package import Posix

/// Something that the kernel is to change about an interface. It takes CAP_NET_ADMIN.
package enum RouteChange: Hashable, Sendable {
    /// Switches the interface on.
    case up(index: Int, mtu: Int?)
    /// Gives it an address, or changes what it has of the same.
    case address(InterfaceAddress)
    case noAddress(InterfaceAddress)
    /// The way to everywhere through it; of a metric of its own, so that it takes no other interface's place.
    case defaultRoute(index: Int, family: SocketAddress.Family, gateway: SocketAddress?, metric: Int)
    /// Sets a route, or what stands in its place.
    case route(RouteEntry)
    case noRoute(RouteEntry)
    case rule(RoutingRule)
    case noRule(RoutingRule)
}

extension RouteSocket {
    /// Asks for the change; the kernel has answered when this returns, it does not wait.
    /// - Throws: `SystemError`, with EPERM without the capability.
    package static func carryOut(_ change: RouteChange) throws {
        let flags = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, flags) else { throw SystemError("mnl_socket_open2") }
        defer { mnl_socket_close(socket) }
        guard mnl_socket_bind(socket, 0, pid_t(MNL_SOCKET_AUTOPID)) == 0 else { throw SystemError("mnl_socket_bind") }
        // Larger than any of these requests, and than the answer, which has the request in it.
        var buffer = [UInt64](repeating: 0, count: 128)
        try buffer.withUnsafeMutableBytes { bytes in
            guard let header = mnl_nlmsg_put_header(bytes.baseAddress) else { throw SystemError("mnl_nlmsg_put_header") }
            change.write(to: header)
            guard mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0 else { throw SystemError("mnl_socket_sendto") }
            let count = mnl_socket_recvfrom(socket, bytes.baseAddress, bytes.count)
            guard count >= 0 else { throw SystemError("mnl_socket_recvfrom") }
            for case .failed(let code) in RouteParser.messages(
                in: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count]))
            {
                throw SystemError(change.name, CInt(code))
            }
        }
    }
}

extension RouteChange {
    fileprivate var name: String {
        switch self {
        case .up: "RTM_NEWLINK"
        case .address: "RTM_NEWADDR"
        case .noAddress: "RTM_DELADDR"
        case .defaultRoute, .route: "RTM_NEWROUTE"
        case .noRoute: "RTM_DELROUTE"
        case .rule: "RTM_NEWRULE"
        case .noRule: "RTM_DELRULE"
        }
    }

    fileprivate func write(to header: UnsafeMutablePointer<nlmsghdr>) {
        func begin<Message>(_ type: some BinaryInteger, _ more: CInt, _ message: Message) {
            header.pointee.nlmsg_type = UInt16(type)
            header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_ACK | more)
            header.pointee.nlmsg_seq = 1
            mnl_nlmsg_put_extra_header(header, MemoryLayout<Message>.size)?.storeBytes(of: message, as: Message.self)
        }
        func put(_ type: some BinaryInteger, _ bytes: [UInt8]) { mnl_attr_put(header, UInt16(type), bytes.count, bytes) }
        switch self {
        case .up(let index, let mtu):
            var message = ifinfomsg()
            (message.ifi_index, message.ifi_flags, message.ifi_change) = (CInt(index), UInt32(IFF_UP.rawValue), UInt32(IFF_UP.rawValue))
            begin(RTM_NEWLINK, 0, message)
            if let mtu { mnl_attr_put_u32(header, UInt16(IFLA_MTU), UInt32(mtu)) }
        case .address(let address), .noAddress(let address):
            var message = ifaddrmsg()
            message.ifa_family = Self.number(address.address.family)
            message.ifa_prefixlen = UInt8(clamping: address.prefixLength)
            message.ifa_index = UInt32(address.index)
            // The network gave it: nobody else on this link has it.
            if address.address.family == .ipv6 { message.ifa_flags = UInt8(IFA_F_NODAD) }
            if case .address = self {
                begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, message)
            } else {
                begin(RTM_DELADDR, 0, message)
            }
            put(IFA_LOCAL, address.address.bytes)
            put(IFA_ADDRESS, address.address.bytes)
        case .defaultRoute(let index, let family, let gateway, let metric):
            var message = rtmsg()
            message.rtm_family = Self.number(family)
            message.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
            message.rtm_protocol = UInt8(RTPROT_STATIC)
            message.rtm_scope = UInt8(gateway == nil && family == .ipv4 ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
            message.rtm_type = UInt8(RTN_UNICAST)
            // A modem's gateway need not be in the prefix of its address.
            if gateway != nil { message.rtm_flags = UInt32(RTNH_F_ONLINK) }
            begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, message)
            mnl_attr_put_u32(header, UInt16(RTA_OIF.rawValue), UInt32(index))
            mnl_attr_put_u32(header, UInt16(RTA_PRIORITY.rawValue), UInt32(metric))
            if let gateway { put(RTA_GATEWAY.rawValue, gateway.bytes) }
        case .route(let route), .noRoute(let route):
            var message = rtmsg()
            (message.rtm_family, message.rtm_dst_len) = (Self.number(route.family), UInt8(clamping: route.prefixLength))
            (message.rtm_type, message.rtm_protocol) = (UInt8(clamping: route.type), UInt8(clamping: route.maker))
            let isNear = route.gateway == nil && route.family == .ipv4
            message.rtm_scope = UInt8(isNear ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
            if route.gateway != nil { message.rtm_flags = UInt32(RTNH_F_ONLINK) }
            if case .route = self { begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, message) } else { begin(RTM_DELROUTE, 0, message) }
            mnl_attr_put_u32(header, UInt16(RTA_TABLE.rawValue), UInt32(route.table))
            mnl_attr_put_u32(header, UInt16(RTA_OIF.rawValue), UInt32(route.index))
            if route.metric > 0 { mnl_attr_put_u32(header, UInt16(RTA_PRIORITY.rawValue), UInt32(route.metric)) }
            if let destination = route.destination { put(RTA_DST.rawValue, destination.bytes) }
            if let gateway = route.gateway { put(RTA_GATEWAY.rawValue, gateway.bytes) }
            if let source = route.source { put(RTA_PREFSRC.rawValue, source.bytes) }
        case .rule(let rule), .noRule(let rule):
            var message = fib_rule_hdr()
            (message.family, message.action) = (Self.number(rule.family), UInt8(FR_ACT_TO_TBL))
            if case .rule = self { begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, message) } else { begin(RTM_DELRULE, 0, message) }
            mnl_attr_put_u32(header, UInt16(FRA_TABLE), UInt32(rule.table))
            mnl_attr_put_u32(header, UInt16(FRA_PRIORITY), UInt32(rule.priority))
            put(FRA_PROTOCOL, [UInt8(clamping: rule.maker)])
            // The kernel wants its end marked.
            if let name = rule.outgoing { put(FRA_OIFNAME, Array(name.utf8) + [0]) }
        }
    }

    private static func number(_ family: SocketAddress.Family) -> UInt8 { UInt8(family == .ipv4 ? AF_INET : AF_INET6) }
}
