import CGStreamer
import Glibc
import Posix

/// The only names that GIO resolves in this process, each to the one address that was checked for it (THREATS 9).
///
/// Elements such as rtmp2sink take a host name, resolve it again and hold the server's certificate against it. With this
/// resolver as GIO's own they reach the checked address under the right name, and no other name leads anywhere. Proxies that
/// the desktop or the environment name are not asked, nor is what would look for them loaded.
package enum PinnedResolver {
    private static let addresses = Guarded<[String: String]>([:])

    /// Set once, before the first pin.
    private static let installed: Void = {
        strata_make_clients_without_proxies()
        setenv("GIO_USE_PROXY_RESOLVER", "dummy", 1)
        setenv("GSETTINGS_BACKEND", "memory", 1)
        let type = g_type_register_static_simple(
            g_resolver_get_type(), "StrataPinnedResolver", guint(MemoryLayout<GResolverClass>.size), fillClass,
            guint(MemoryLayout<GResolver>.size), nil, GTypeFlags(rawValue: 0))
        let resolver = g_object_new_with_properties(type, 0, nil, nil)
        // g_resolver_set_default takes its own reference.
        g_resolver_set_default(UnsafeMutableRawPointer(resolver)?.assumingMemoryBound(to: GResolver.self))
        g_object_unref(resolver)
    }()

    /// From now on `host` is `address`; the last pin of a name counts. Any thread.
    /// - Returns: what to give to the element as its host: `host`, or `address` where `host` is itself an address.
    package static func pin(_ host: String, to address: String) -> String {
        _ = installed
        if SocketAddress(host, port: 0) != nil { return address }
        addresses.withLock { $0[host.lowercased()] = address }
        return host
    }

    fileprivate static func lookUp(_ name: UnsafePointer<CChar>?, _ flags: GResolverNameLookupFlags) -> UnsafeMutablePointer<GList>? {
        guard let name, let address = addresses.withLock({ $0[String(cString: name).lowercased()] }) else { return nil }
        guard let parsed = g_inet_address_new_from_string(address) else { return nil }
        let isIPv4 = g_inet_address_get_family(parsed) == G_SOCKET_FAMILY_IPV4
        let excluded = isIPv4 ? G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY : G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY
        guard flags.rawValue & excluded.rawValue == 0 else {
            g_object_unref(parsed)
            return nil
        }
        return g_list_append(nil, parsed)
    }

    fileprivate static func notFound(_ name: UnsafePointer<CChar>?) -> UnsafeMutablePointer<GError>? {
        let text = "no address was checked for \(name.map { String(cString: $0) } ?? "")"
        return g_error_new_literal(g_resolver_error_quark(), gint(G_RESOLVER_ERROR_NOT_FOUND.rawValue), text)
    }
}

private func fillClass(_ pointer: gpointer?, _ data: gpointer?) {
    guard let methods = pointer?.assumingMemoryBound(to: GResolverClass.self) else { return }
    methods.pointee.lookup_by_name = { _, name, _, error in give(name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, error) }
    methods.pointee.lookup_by_name_with_flags = { _, name, flags, _, error in give(name, flags, error) }
    methods.pointee.lookup_by_name_async = { resolver, name, cancellable, callback, data in
        answer(resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback, data)
    }
    methods.pointee.lookup_by_name_with_flags_async = { resolver, name, flags, cancellable, callback, data in
        answer(resolver, name, flags, cancellable, callback, data)
    }
    methods.pointee.lookup_by_name_finish = { _, result, error in take(result, error) }
    methods.pointee.lookup_by_name_with_flags_finish = { _, result, error in take(result, error) }
}

private typealias ErrorPlace = UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?

private func give(
    _ name: UnsafePointer<CChar>?, _ flags: GResolverNameLookupFlags, _ error: ErrorPlace
) -> UnsafeMutablePointer<GList>? {
    if let list = PinnedResolver.lookUp(name, flags) { return list }
    g_propagate_error(error, PinnedResolver.notFound(name))
    return nil
}

private func answer(
    _ resolver: UnsafeMutablePointer<GResolver>?, _ name: UnsafePointer<CChar>?, _ flags: GResolverNameLookupFlags,
    _ cancellable: UnsafeMutablePointer<GCancellable>?, _ callback: GAsyncReadyCallback?, _ data: gpointer?
) {
    let task = g_task_new(resolver, cancellable, callback, data)
    if let list = PinnedResolver.lookUp(name, flags) {
        g_task_return_pointer(task, list, freeAddresses)
    } else {
        g_task_return_error(task, PinnedResolver.notFound(name))
    }
    strata_task_unref(task)
}

private func take(_ result: OpaquePointer?, _ error: ErrorPlace) -> UnsafeMutablePointer<GList>? {
    g_task_propagate_pointer(result, error)?.assumingMemoryBound(to: GList.self)
}

private func freeAddresses(_ list: gpointer?) {
    g_resolver_free_addresses(list?.assumingMemoryBound(to: GList.self))
}
