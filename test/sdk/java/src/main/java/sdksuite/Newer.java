package sdksuite;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Calls what only newer versions of the SDK have, so that one client compiles against all of them. What the installed
 * version lacks makes the case skipped.
 */
final class Newer {
    /** The installed SDK lacks this. */
    static final class Missing extends Exception {
        Missing(String what) {
            super("eas-sdk " + System.getProperty("eas-sdk.version") + " has no " + what);
        }
    }

    private static final String HTTP = "com.aliyun.openservices.eas.predict.http.";

    static Object call(Object target, String name, Object... args) throws Exception {
        for (Method method : target.getClass().getMethods()) {
            if (method.getName().equals(name) && accepts(method.getParameterTypes(), args)) {
                try {
                    return method.invoke(target, args);
                } catch (InvocationTargetException e) {
                    throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
                }
            }
        }
        throw new Missing(name);
    }

    static Object compressor(String name) throws Exception {
        for (Object constant : type("Compressor").getEnumConstants()) {
            if (constant.toString().equals(name)) return constant;
        }
        throw new Missing("Compressor." + name);
    }

    static Object callConfig() throws Exception {
        return type("CallConfig").getConstructor().newInstance();
    }

    private static Class<?> type(String name) throws Missing {
        try {
            return Class.forName(HTTP + name);
        } catch (ClassNotFoundException e) {
            throw new Missing(name);
        }
    }

    private static boolean accepts(Class<?>[] types, Object[] args) {
        if (types.length != args.length) return false;
        for (int i = 0; i < types.length; i++) {
            boolean primitive = types[i] == int.class && args[i] instanceof Integer;
            if (!primitive && !types[i].isInstance(args[i])) return false;
        }
        return true;
    }

    private Newer() {}
}
