// vite makes a file of the bundle of what is imported so.
declare module '*.css'
