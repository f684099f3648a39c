import CNetlink
import Glibc
import Posix

/// Reads what one receive call returned. Cut or foreign bytes yield fewer messages, never a read beyond them.
package enum RouteParser {
    /// - Parameter bytes: from the kernel or a fixture; aligned to 4 bytes.
    package static func messages(in bytes: UnsafeRawBufferPointer) -> [RouteMessage] {
        var messages: [RouteMessage] = []
        var rest = bytes
        while let start = rest.baseAddress, rest.count >= MemoryLayout<nlmsghdr>.size {
            let header = start.assumingMemoryBound(to: nlmsghdr.self)
            // `mnl_nlmsg_ok` takes a length over 2^31 for a small one.
            let length = Int(header.pointee.nlmsg_len)
            guard length >= MemoryLayout<nlmsghdr>.size, length <= rest.count else { break }
            if header.pointee.nlmsg_flags & UInt16(NLM_F_DUMP_INTR) != 0 { messages.append(.failed(code: Int(EINTR))) }
            if let message = message(header) { messages.append(message) }
            rest = UnsafeRawBufferPointer(rebasing: rest[min((length + 3) & ~3, rest.count)...])
        }
        return messages
    }

    private static func message(_ header: UnsafePointer<nlmsghdr>) -> RouteMessage? {
        switch Int(header.pointee.nlmsg_type) {
        case Int(NLMSG_DONE): return .done
        case Int(NLMSG_ERROR): return failure(header)
        case Int(RTM_NEWLINK): return interface(header).map(RouteMessage.link)
        case Int(RTM_DELLINK): return payload(header, as: ifinfomsg.self).map { .linkGone(index: Int($0.ifi_index)) }
        case Int(RTM_NEWADDR): return address(header).map(RouteMessage.address)
        case Int(RTM_DELADDR): return address(header).map(RouteMessage.addressGone)
        case Int(RTM_NEWROUTE): return route(header).map(RouteMessage.route)
        case Int(RTM_DELROUTE): return route(header).map(RouteMessage.routeGone)
        case Int(RTM_NEWRULE): return rule(header).map(RouteMessage.rule)
        case Int(RTM_DELRULE): return rule(header).map(RouteMessage.ruleGone)
        default: return nil
        }
    }

    private static func family(_ number: UInt8) -> SocketAddress.Family? {
        switch number {
        case UInt8(AF_INET): .ipv4
        case UInt8(AF_INET6): .ipv6
        default: nil
        }
    }

    /// nil for one over several interfaces, which a single link has no use for, and for one that says more than a `RouteEntry`: another
    /// family's gateway (RTA_VIA), a tunnel's header (RTA_ENCAP), a type of service. Without that it would be another route.
    private static func route(_ header: UnsafePointer<nlmsghdr>) -> RouteEntry? {
        guard let message = payload(header, as: rtmsg.self), message.rtm_tos == 0, let family = family(message.rtm_family) else {
            return nil
        }
        var isWhole = true
        var result = RouteEntry(
            family: family, table: Int(message.rtm_table), index: 0, prefixLength: Int(message.rtm_dst_len), type: Int(message.rtm_type),
            maker: Int(message.rtm_protocol))
        attributes(header, after: MemoryLayout<rtmsg>.size) { type, value in
            switch type {
            case Int(RTA_TABLE.rawValue): result.table = Int(number(value, UInt32.self) ?? 0)
            case Int(RTA_OIF.rawValue): result.index = Int(number(value, UInt32.self) ?? 0)
            case Int(RTA_DST.rawValue): result.destination = socketAddress(value, family: message.rtm_family)
            case Int(RTA_GATEWAY.rawValue): result.gateway = socketAddress(value, family: message.rtm_family)
            case Int(RTA_PREFSRC.rawValue): result.source = socketAddress(value, family: message.rtm_family)
            case Int(RTA_PRIORITY.rawValue): result.metric = Int(number(value, UInt32.self) ?? 0)
            case Int(RTA_VIA.rawValue), Int(RTA_ENCAP.rawValue), Int(RTA_ENCAP_TYPE.rawValue): isWhole = false
            default: break
            }
        }
        return isWhole && result.index > 0 ? result : nil
    }

    private static func rule(_ header: UnsafePointer<nlmsghdr>) -> RoutingRule? {
        guard let message = payload(header, as: fib_rule_hdr.self), let family = family(message.family) else { return nil }
        var result = RoutingRule(family: family, outgoing: nil, table: Int(message.table), priority: 0, maker: 0)
        attributes(header, after: MemoryLayout<fib_rule_hdr>.size) { type, value in
            switch type {
            case Int(FRA_TABLE): result.table = Int(number(value, UInt32.self) ?? 0)
            case Int(FRA_PRIORITY): result.priority = Int(number(value, UInt32.self) ?? 0)
            case Int(FRA_PROTOCOL): result.maker = Int(number(value, UInt8.self) ?? 0)
            case Int(FRA_OIFNAME): result.outgoing = text(value)
            default: break
            }
        }
        return result
    }

    private static func failure(_ header: UnsafePointer<nlmsghdr>) -> RouteMessage? {
        guard let error = payload(header, as: nlmsgerr.self), error.error != 0 else { return nil }
        return .failed(code: Int(-error.error))
    }

    private static func interface(_ header: UnsafePointer<nlmsghdr>) -> NetworkInterface? {
        guard let link = payload(header, as: ifinfomsg.self) else { return nil }
        var result = NetworkInterface(
            index: Int(link.ifi_index), name: "", isUp: link.ifi_flags & 1 != 0, hasCarrier: link.ifi_flags & 0x1_0000 != 0,
            isLoopback: link.ifi_flags & 8 != 0, mtu: 0, hardwareType: Int(link.ifi_type))
        // AF_BRIDGE messages tell of ports, not of interfaces.
        guard link.ifi_family == UInt8(AF_UNSPEC) else { return nil }
        attributes(header, after: MemoryLayout<ifinfomsg>.size) { type, value in
            switch type {
            case Int(IFLA_IFNAME): result.name = text(value)
            case Int(IFLA_MTU): result.mtu = Int(number(value, UInt32.self) ?? 0)
            case Int(IFLA_MASTER): result.master = number(value, UInt32.self).map(Int.init)
            case Int(IFLA_LINKINFO): result.kind = kind(value)
            case Int(IFLA_STATS64): result.counters = counters(value)
            default: break
            }
        }
        return result.name.isEmpty ? nil : result
    }

    private static func address(_ header: UnsafePointer<nlmsghdr>) -> InterfaceAddress? {
        guard let message = payload(header, as: ifaddrmsg.self) else { return nil }
        var flags = UInt32(message.ifa_flags)
        var any: SocketAddress?
        var local: SocketAddress?
        attributes(header, after: MemoryLayout<ifaddrmsg>.size) { type, value in
            switch type {
            case Int(IFA_ADDRESS): any = socketAddress(value, family: message.ifa_family)
            // On a point-to-point interface IFA_ADDRESS is the other end.
            case Int(IFA_LOCAL): local = socketAddress(value, family: message.ifa_family)
            case Int(IFA_FLAGS): flags = number(value, UInt32.self) ?? flags
            default: break
            }
        }
        guard let address = local ?? any else { return nil }
        return InterfaceAddress(
            index: Int(message.ifa_index), address: address, prefixLength: Int(message.ifa_prefixlen),
            isGlobal: message.ifa_scope == UInt8(RT_SCOPE_UNIVERSE.rawValue),
            isTentative: flags & UInt32(IFA_F_TENTATIVE | IFA_F_DADFAILED) != 0 && flags & UInt32(IFA_F_OPTIMISTIC) == 0)
    }

    private static func payload<Message>(_ header: UnsafePointer<nlmsghdr>, as: Message.Type) -> Message? {
        guard mnl_nlmsg_get_payload_len(header) >= MemoryLayout<Message>.size else { return nil }
        return mnl_nlmsg_get_payload(header)?.loadUnaligned(as: Message.self)
    }

    private static func attributes(
        _ header: UnsafePointer<nlmsghdr>, after offset: Int, _ take: (Int, UnsafeRawBufferPointer) -> Void
    ) {
        guard let start = mnl_nlmsg_get_payload(header) else { return }
        let skipped = (offset + 3) & ~3
        let length = Int(mnl_nlmsg_get_payload_len(header)) - skipped
        guard length > 0 else { return }
        attributes(UnsafeRawBufferPointer(start: start + skipped, count: length), take)
    }

    private static func attributes(_ bytes: UnsafeRawBufferPointer, _ take: (Int, UnsafeRawBufferPointer) -> Void) {
        guard let start = bytes.baseAddress else { return }
        var offset = 0
        while bytes.count - offset >= MemoryLayout<nlattr>.size {
            let attribute = (start + offset).assumingMemoryBound(to: nlattr.self)
            guard mnl_attr_ok(attribute, CInt(clamping: bytes.count - offset)) else { return }
            if let value = mnl_attr_get_payload(attribute) {
                // The two highest bits say nested and byte order.
                let type = Int(mnl_attr_get_type(attribute))
                take(type, UnsafeRawBufferPointer(start: value, count: Int(mnl_attr_get_payload_len(attribute))))
            }
            offset += (Int(mnl_attr_get_len(attribute)) + 3) & ~3
        }
    }

    private static func number<Number: FixedWidthInteger>(_ value: UnsafeRawBufferPointer, _: Number.Type) -> Number? {
        value.count >= MemoryLayout<Number>.size ? value.loadUnaligned(as: Number.self) : nil
    }

    private static func text(_ value: UnsafeRawBufferPointer) -> String {
        String(decoding: value.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func kind(_ value: UnsafeRawBufferPointer) -> String? {
        var kind: String?
        attributes(value) { type, value in
            if type == Int(IFLA_INFO_KIND) { kind = text(value) }
        }
        return kind
    }

    /// Source: linux/if_link.h `rtnl_link_stats64`: packets, bytes, errors and drops, received first, 64 bits each.
    private static func counters(_ value: UnsafeRawBufferPointer) -> NetworkInterface.Counters? {
        guard value.count >= 64 else { return nil }
        func word(_ place: Int) -> UInt64 { value.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self) }
        return NetworkInterface.Counters(
            receivedPackets: word(0), sentPackets: word(1), receivedBytes: word(2), sentBytes: word(3), receiveErrors: word(4),
            sendErrors: word(5), receiveDropped: word(6), sendDropped: word(7))
    }

    private static func socketAddress(_ value: UnsafeRawBufferPointer, family: UInt8) -> SocketAddress? {
        if family == UInt8(AF_INET), value.count == 4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = value.loadUnaligned(as: UInt32.self)
            return withUnsafeBytes(of: address) { SocketAddress(sockaddr: $0) }
        }
        if family == UInt8(AF_INET6), value.count == 16 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_addr = value.loadUnaligned(as: in6_addr.self)
            return withUnsafeBytes(of: address) { SocketAddress(sockaddr: $0) }
        }
        return nil
    }
}
